/* gnutls.h - GnuTLS, loaded by the first call that needs TLS: a call that does not shall not pay for mapping it.
 *
 * Whoever calls a function of GnuTLS includes this instead of the library's headers, and writes the call as ever. Before
 * gnutls_load() has succeeded no function may be called; an object of the library can only come from after that. */

#ifndef NET_GNUTLS_H
#define NET_GNUTLS_H

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#include "base/err.h"

/* All that is used. gnutls_free is a variable of the library that holds a function, and its address serves alike. A new
 * name goes here and below. */
/* clang-format off */
#define GNUTLS_NAMES(X) \
	X(alert_get) \
	X(alert_get_name) \
	X(alert_send_appropriate) \
	X(bye) \
	X(certificate_allocate_credentials) \
	X(certificate_free_credentials) \
	X(certificate_get_peers) \
	X(certificate_set_pin_function) \
	X(certificate_set_trust_list) \
	X(certificate_set_x509_key_file2) \
	X(certificate_type_get2) \
	X(certificate_verify_peers) \
	X(check_version) \
	X(credentials_get) \
	X(credentials_set) \
	X(deinit) \
	X(dh_set_prime_bits) \
	X(error_is_fatal) \
	X(free) \
	X(handshake) \
	X(hash) \
	X(hash_deinit) \
	X(hash_fast) \
	X(hash_init) \
	X(init) \
	X(memcmp) \
	X(ocsp_resp_check_crt) \
	X(ocsp_resp_deinit) \
	X(ocsp_resp_get_single) \
	X(ocsp_resp_get_status) \
	X(ocsp_resp_import) \
	X(ocsp_resp_init) \
	X(ocsp_resp_verify_direct) \
	X(ocsp_status_request_get2) \
	X(ocsp_status_request_is_checked) \
	X(pk_bits_to_sec_param) \
	X(pk_get_name) \
	X(pkcs11_init) \
	X(priority_set_direct) \
	X(privkey_deinit) \
	X(privkey_get_pk_algorithm) \
	X(privkey_import_x509_raw) \
	X(privkey_init) \
	X(privkey_sign_data2) \
	X(protocol_get_name) \
	X(protocol_get_version) \
	X(pubkey_deinit) \
	X(pubkey_export2) \
	X(pubkey_import) \
	X(pubkey_import_x509) \
	X(pubkey_init) \
	X(record_check_pending) \
	X(record_get_direction) \
	X(record_recv) \
	X(record_send) \
	X(server_name_set) \
	X(session_channel_binding) \
	X(session_ext_master_secret_status) \
	X(session_get_desc) \
	X(session_get_ptr) \
	X(session_set_ptr) \
	X(session_set_verify_function) \
	X(set_default_priority_append) \
	X(sign_get_name) \
	X(strerror) \
	X(subject_alt_names_deinit) \
	X(subject_alt_names_get) \
	X(subject_alt_names_init) \
	X(transport_set_ptr) \
	X(transport_set_pull_function) \
	X(transport_set_vec_push_function) \
	X(url_is_supported) \
	X(x509_crl_deinit) \
	X(x509_crl_get_next_update) \
	X(x509_crl_list_import2) \
	X(x509_crt_check_issuer) \
	X(x509_crt_deinit) \
	X(x509_crt_equals) \
	X(x509_crt_export2) \
	X(x509_crt_get_activation_time) \
	X(x509_crt_get_dn3) \
	X(x509_crt_get_expiration_time) \
	X(x509_crt_get_extension_by_oid2) \
	X(x509_crt_get_fingerprint) \
	X(x509_crt_get_issuer_dn3) \
	X(x509_crt_get_pk_algorithm) \
	X(x509_crt_get_raw_dn) \
	X(x509_crt_get_raw_issuer_dn) \
	X(x509_crt_get_signature_algorithm) \
	X(x509_crt_import) \
	X(x509_crt_init) \
	X(x509_crt_verify) \
	X(x509_ext_import_subject_alt_names) \
	X(x509_trust_list_add_cas) \
	X(x509_trust_list_add_crls) \
	X(x509_trust_list_deinit) \
	X(x509_trust_list_get_issuer) \
	X(x509_trust_list_init) \
	X(x509_trust_list_verify_crt2)
/* clang-format on */

#define GNUTLS_MEMBER(name) __typeof__(gnutls_##name) *(name);
struct gnutls_table {
	GNUTLS_NAMES(GNUTLS_MEMBER)
};
#undef GNUTLS_MEMBER

/* All NULL until gnutls_load() has succeeded. */
extern const struct gnutls_table *const gnutls;

/* Load the library for the rest of the process; again is harmless. False: EX_UNAVAILABLE with a hint what to install. */
bool gnutls_load(struct err *err);

#define gnutls_alert_get (*gnutls->alert_get)
#define gnutls_alert_get_name (*gnutls->alert_get_name)
#define gnutls_alert_send_appropriate (*gnutls->alert_send_appropriate)
#define gnutls_bye (*gnutls->bye)
#define gnutls_certificate_allocate_credentials (*gnutls->certificate_allocate_credentials)
#define gnutls_certificate_free_credentials (*gnutls->certificate_free_credentials)
#define gnutls_certificate_get_peers (*gnutls->certificate_get_peers)
#define gnutls_certificate_set_pin_function (*gnutls->certificate_set_pin_function)
#define gnutls_certificate_set_trust_list (*gnutls->certificate_set_trust_list)
#define gnutls_certificate_set_x509_key_file2 (*gnutls->certificate_set_x509_key_file2)
#define gnutls_certificate_type_get2 (*gnutls->certificate_type_get2)
#define gnutls_certificate_verify_peers (*gnutls->certificate_verify_peers)
#define gnutls_check_version (*gnutls->check_version)
#define gnutls_credentials_get (*gnutls->credentials_get)
#define gnutls_credentials_set (*gnutls->credentials_set)
#define gnutls_deinit (*gnutls->deinit)
#define gnutls_dh_set_prime_bits (*gnutls->dh_set_prime_bits)
#define gnutls_error_is_fatal (*gnutls->error_is_fatal)
#define gnutls_free (*gnutls->free)
#define gnutls_handshake (*gnutls->handshake)
#define gnutls_hash (*gnutls->hash)
#define gnutls_hash_deinit (*gnutls->hash_deinit)
#define gnutls_hash_fast (*gnutls->hash_fast)
#define gnutls_hash_init (*gnutls->hash_init)
#define gnutls_init (*gnutls->init)
#define gnutls_memcmp (*gnutls->memcmp)
#define gnutls_ocsp_resp_check_crt (*gnutls->ocsp_resp_check_crt)
#define gnutls_ocsp_resp_deinit (*gnutls->ocsp_resp_deinit)
#define gnutls_ocsp_resp_get_single (*gnutls->ocsp_resp_get_single)
#define gnutls_ocsp_resp_get_status (*gnutls->ocsp_resp_get_status)
#define gnutls_ocsp_resp_import (*gnutls->ocsp_resp_import)
#define gnutls_ocsp_resp_init (*gnutls->ocsp_resp_init)
#define gnutls_ocsp_resp_verify_direct (*gnutls->ocsp_resp_verify_direct)
#define gnutls_ocsp_status_request_get2 (*gnutls->ocsp_status_request_get2)
#define gnutls_ocsp_status_request_is_checked (*gnutls->ocsp_status_request_is_checked)
#define gnutls_pk_bits_to_sec_param (*gnutls->pk_bits_to_sec_param)
#define gnutls_pk_get_name (*gnutls->pk_get_name)
#define gnutls_pkcs11_init (*gnutls->pkcs11_init)
#define gnutls_priority_set_direct (*gnutls->priority_set_direct)
#define gnutls_privkey_deinit (*gnutls->privkey_deinit)
#define gnutls_privkey_get_pk_algorithm (*gnutls->privkey_get_pk_algorithm)
#define gnutls_privkey_import_x509_raw (*gnutls->privkey_import_x509_raw)
#define gnutls_privkey_init (*gnutls->privkey_init)
#define gnutls_privkey_sign_data2 (*gnutls->privkey_sign_data2)
#define gnutls_protocol_get_name (*gnutls->protocol_get_name)
#define gnutls_protocol_get_version (*gnutls->protocol_get_version)
#define gnutls_pubkey_deinit (*gnutls->pubkey_deinit)
#define gnutls_pubkey_export2 (*gnutls->pubkey_export2)
#define gnutls_pubkey_import (*gnutls->pubkey_import)
#define gnutls_pubkey_import_x509 (*gnutls->pubkey_import_x509)
#define gnutls_pubkey_init (*gnutls->pubkey_init)
#define gnutls_record_check_pending (*gnutls->record_check_pending)
#define gnutls_record_get_direction (*gnutls->record_get_direction)
#define gnutls_record_recv (*gnutls->record_recv)
#define gnutls_record_send (*gnutls->record_send)
#define gnutls_server_name_set (*gnutls->server_name_set)
#define gnutls_session_channel_binding (*gnutls->session_channel_binding)
#define gnutls_session_ext_master_secret_status (*gnutls->session_ext_master_secret_status)
#define gnutls_session_get_desc (*gnutls->session_get_desc)
#define gnutls_session_get_ptr (*gnutls->session_get_ptr)
#define gnutls_session_set_ptr (*gnutls->session_set_ptr)
#define gnutls_session_set_verify_function (*gnutls->session_set_verify_function)
#define gnutls_set_default_priority_append (*gnutls->set_default_priority_append)
#define gnutls_sign_get_name (*gnutls->sign_get_name)
#define gnutls_strerror (*gnutls->strerror)
#define gnutls_subject_alt_names_deinit (*gnutls->subject_alt_names_deinit)
#define gnutls_subject_alt_names_get (*gnutls->subject_alt_names_get)
#define gnutls_subject_alt_names_init (*gnutls->subject_alt_names_init)
#define gnutls_transport_set_ptr (*gnutls->transport_set_ptr)
#define gnutls_transport_set_pull_function (*gnutls->transport_set_pull_function)
#define gnutls_transport_set_vec_push_function (*gnutls->transport_set_vec_push_function)
#define gnutls_url_is_supported (*gnutls->url_is_supported)
#define gnutls_x509_crl_deinit (*gnutls->x509_crl_deinit)
#define gnutls_x509_crl_get_next_update (*gnutls->x509_crl_get_next_update)
#define gnutls_x509_crl_list_import2 (*gnutls->x509_crl_list_import2)
#define gnutls_x509_crt_check_issuer (*gnutls->x509_crt_check_issuer)
#define gnutls_x509_crt_deinit (*gnutls->x509_crt_deinit)
#define gnutls_x509_crt_equals (*gnutls->x509_crt_equals)
#define gnutls_x509_crt_export2 (*gnutls->x509_crt_export2)
#define gnutls_x509_crt_get_activation_time (*gnutls->x509_crt_get_activation_time)
#define gnutls_x509_crt_get_dn3 (*gnutls->x509_crt_get_dn3)
#define gnutls_x509_crt_get_expiration_time (*gnutls->x509_crt_get_expiration_time)
#define gnutls_x509_crt_get_extension_by_oid2 (*gnutls->x509_crt_get_extension_by_oid2)
#define gnutls_x509_crt_get_fingerprint (*gnutls->x509_crt_get_fingerprint)
#define gnutls_x509_crt_get_issuer_dn3 (*gnutls->x509_crt_get_issuer_dn3)
#define gnutls_x509_crt_get_pk_algorithm (*gnutls->x509_crt_get_pk_algorithm)
#define gnutls_x509_crt_get_raw_dn (*gnutls->x509_crt_get_raw_dn)
#define gnutls_x509_crt_get_raw_issuer_dn (*gnutls->x509_crt_get_raw_issuer_dn)
#define gnutls_x509_crt_get_signature_algorithm (*gnutls->x509_crt_get_signature_algorithm)
#define gnutls_x509_crt_import (*gnutls->x509_crt_import)
#define gnutls_x509_crt_init (*gnutls->x509_crt_init)
#define gnutls_x509_crt_verify (*gnutls->x509_crt_verify)
#define gnutls_x509_ext_import_subject_alt_names (*gnutls->x509_ext_import_subject_alt_names)
#define gnutls_x509_trust_list_add_cas (*gnutls->x509_trust_list_add_cas)
#define gnutls_x509_trust_list_add_crls (*gnutls->x509_trust_list_add_crls)
#define gnutls_x509_trust_list_deinit (*gnutls->x509_trust_list_deinit)
#define gnutls_x509_trust_list_get_issuer (*gnutls->x509_trust_list_get_issuer)
#define gnutls_x509_trust_list_init (*gnutls->x509_trust_list_init)
#define gnutls_x509_trust_list_verify_crt2 (*gnutls->x509_trust_list_verify_crt2)

#endif
