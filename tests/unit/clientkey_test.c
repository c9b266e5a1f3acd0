/* clientkey_test.c - when a token is given its PIN. Whole logins with a token are in tests/pkcs11.bats. */

#include "config.h"

#include <string.h>

#include "net/clientkey.h"
#include "net/gnutls.h"
#include "tap.h"

static char pin[8];

/* Is the PIN given when the library asks like this? */
static bool
is_given(struct clientkey *key, int attempt, unsigned flags)
{
	memset(pin, 0, sizeof(pin));
	return clientkey_give_pin(key, attempt, "pkcs11:token=mc", "mc", GNUTLS_PIN_USER | flags, pin, sizeof(pin)) == 0;
}

static void
test_giving(void)
{
	struct clientkey key = {.password = "1234"}, none = {0}, large = {.password = "12345678"};

	tap_ok(is_given(&key, 0, 0) && strcmp(pin, "1234") == 0, "the PIN is given at the first question");
	tap_ok(is_given(&key, 0, GNUTLS_PIN_COUNT_LOW), "and when the token counts wrong ones already");
	tap_ok(!is_given(&none, 0, 0) && none.is_pin_wanted, "without a PIN none is given, and it is known that one was wanted");
	tap_ok(!is_given(&large, 0, 0) && pin[0] == '\0', "a PIN that has no room is not given");
}

static void
test_refusing(void)
{
	struct clientkey again = {.password = "1234"}, wrong = {.password = "1234"}, last = {.password = "1234"}, none = {0};

	tap_ok(!is_given(&again, 1, 0) && again.is_pin_refused, "a second question is not answered: the first answer was wrong");
	tap_ok(!is_given(&wrong, 0, GNUTLS_PIN_WRONG) && wrong.is_pin_refused, "nor one that calls it wrong");
	tap_ok(!is_given(&last, 0, GNUTLS_PIN_FINAL_TRY | GNUTLS_PIN_COUNT_LOW) && last.is_last_try && !last.is_pin_refused,
	       "the last try before the token locks itself is left to people");
	tap_ok(!is_given(&none, 0, GNUTLS_PIN_FINAL_TRY) && !none.is_last_try, "but without a PIN that is what is told");
	tap_ok(!is_given(&again, 2, GNUTLS_PIN_FINAL_TRY) && !again.is_last_try,
	       "a PIN that was wrong just now is told as wrong, however many tries are left");
}

int
main(void)
{
	test_giving();
	test_refusing();
	return tap_end();
}
