# Completion of mailcrane for bash. Written from the program's table of options.

_mailcrane()
{
	local current=${COMP_WORDS[COMP_CWORD]} option=
	local previous=${COMP_WORDS[COMP_CWORD-1]}

	COMPREPLY=()
	if [[ $current == = ]]; then
		option=$previous
		current=
	elif [[ $previous == = ]]; then
		option=${COMP_WORDS[COMP_CWORD-2]}
	else
		case $previous in
		--route|--rmqs|--forget-key|--file|-C|--account|-a|--from|-f|--message|--show|--hold|--release|--retry|--remove|--host|--port|--delivery|--source-ip|--dns-server|--dns-trust-anchor|--proxy-host|--proxy-port|--proxy-user|--socket|--timeout|--protocol|--domain|--auth-min|--auth-cleartext|--user|--password-file|--passwordeval|--passwordexec|--tls-policy|--tls-trust-file|--tls-crl-file|--tls-fingerprint|--tls-pin|--tls-key-file|--tls-cert-file|--tls-min|--tls-min-dh-prime-bits|--tls-priorities|--tls-host-override|--mta-sts-connect|--mta-sts-trust-file|--maildomain|--mailname|--identity|--from-full-name|-F|--repair|--utf8-headers|--lone-dot|--max-message-size|--dkim-domain|--dkim-selector|--dkim-key-file|--dkim-selector2|--dkim-key-file2|--pipelining|--chunking|--pipeline-depth|--queue|--queue-dir|--queue-lifetime|--queue-lanes|--max-connections|--submit-timeout|--treat-as-temporary|--dsn-notify|-N|--dsn-return|-R|--logfile|-X|--logfile-time-format|--log-format|--aliases)
			option=$previous
			;;
		esac
	fi
	case $option in
	--file|-C)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--message)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--delivery)
		COMPREPLY=($(compgen -W 'relay direct' -- "$current"))
		return
		;;
	--dns-trust-anchor)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--socket)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--timeout)
		COMPREPLY=($(compgen -W 'off' -- "$current"))
		return
		;;
	--protocol)
		COMPREPLY=($(compgen -W 'smtp lmtp' -- "$current"))
		return
		;;
	--auth)
		COMPREPLY=($(compgen -W 'on off plain login external cram-md5 digest-md5 scram-sha-1 scram-sha-1-plus scram-sha-256 scram-sha-256-plus gssapi oauthbearer xoauth2 anonymous ntlm' -- "$current"))
		return
		;;
	--auth-min)
		COMPREPLY=($(compgen -W 'plain cram scram scram-plus' -- "$current"))
		return
		;;
	--auth-cleartext)
		COMPREPLY=($(compgen -W 'never loopback always' -- "$current"))
		return
		;;
	--password-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--keyring)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--tls)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--tls-starttls)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--tls-policy)
		COMPREPLY=($(compgen -W 'may encrypt verify dane dane-only' -- "$current"))
		return
		;;
	--tls-trust-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--tls-crl-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--tls-ocsp)
		COMPREPLY=($(compgen -W 'on off require' -- "$current"))
		return
		;;
	--tls-tofu)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--tls-key-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--tls-cert-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--tls-certcheck)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--tls-min)
		COMPREPLY=($(compgen -W '1.2 1.3' -- "$current"))
		return
		;;
	--require-tls)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--mta-sts)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--mta-sts-trust-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--auto-from)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--set-from-header)
		COMPREPLY=($(compgen -W 'auto on off' -- "$current"))
		return
		;;
	--set-date-header)
		COMPREPLY=($(compgen -W 'auto off' -- "$current"))
		return
		;;
	--set-msgid-header)
		COMPREPLY=($(compgen -W 'auto off' -- "$current"))
		return
		;;
	--set-to-header)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--remove-bcc-headers)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--undisclosed-recipients)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--repair)
		COMPREPLY=($(compgen -W 'off safe full' -- "$current"))
		return
		;;
	--utf8-headers)
		COMPREPLY=($(compgen -W 'encode reject' -- "$current"))
		return
		;;
	--lone-dot)
		COMPREPLY=($(compgen -W 'end keep default' -- "$current"))
		return
		;;
	--max-message-size)
		COMPREPLY=($(compgen -W 'unlimited off' -- "$current"))
		return
		;;
	--dkim-key-file)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--dkim-key-file2)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--atomic)
		COMPREPLY=($(compgen -W 'on off' -- "$current"))
		return
		;;
	--pipelining)
		COMPREPLY=($(compgen -W 'auto off' -- "$current"))
		return
		;;
	--chunking)
		COMPREPLY=($(compgen -W 'auto off' -- "$current"))
		return
		;;
	--queue)
		COMPREPLY=($(compgen -W 'on off always' -- "$current"))
		return
		;;
	--queue-dir)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--submit-timeout)
		COMPREPLY=($(compgen -W 'off' -- "$current"))
		return
		;;
	--dsn-return|-R)
		COMPREPLY=($(compgen -W 'off headers full hdrs' -- "$current"))
		return
		;;
	--logfile|-X)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	--log-format)
		COMPREPLY=($(compgen -W 'msmtp json' -- "$current"))
		return
		;;
	--syslog)
		COMPREPLY=($(compgen -W 'off LOG_USER on LOG_MAIL LOG_LOCAL0 LOG_LOCAL1 LOG_LOCAL2 LOG_LOCAL3 LOG_LOCAL4 LOG_LOCAL5 LOG_LOCAL6 LOG_LOCAL7' -- "$current"))
		return
		;;
	--aliases)
		COMPREPLY=($(compgen -f -- "$current"))
		compopt -o filenames 2>/dev/null
		return
		;;
	esac
	[[ -n $option ]] && return
	if [[ $current == -* ]]; then
		COMPREPLY=($(compgen -W '--version --help --pretend --print-config --check --debug --serverinfo --route= --rmqs= --forget-key= --tls-report --file= --account= --from= --read-recipients --read-envelope-from --message= --flush --force --network-up --all-users --mailq --json --show= --hold= --release= --retry= --remove= --queue-check --host= --port= --delivery= --source-ip= --dns-server= --dns-trust-anchor= --proxy-host= --proxy-port= --proxy-user= --socket= --timeout= --protocol= --domain= --auth --auth-min= --auth-cleartext= --user= --password-file= --passwordeval= --passwordexec= --keyring --tls --tls-starttls --tls-policy= --tls-trust-file= --tls-crl-file= --tls-ocsp --tls-fingerprint= --tls-pin= --tls-tofu --tls-key-file= --tls-cert-file= --tls-certcheck --tls-min= --tls-min-dh-prime-bits= --tls-priorities= --tls-host-override= --require-tls --mta-sts --mta-sts-connect= --mta-sts-trust-file= --auto-from --maildomain= --mailname= --identity= --from-full-name= --set-from-header --set-date-header --set-msgid-header --set-to-header --remove-bcc-headers --undisclosed-recipients --repair= --utf8-headers= --lone-dot= --max-message-size= --dkim-domain= --dkim-selector= --dkim-key-file= --dkim-selector2= --dkim-key-file2= --atomic --pipelining= --chunking= --pipeline-depth= --queue= --queue-dir= --queue-lifetime= --queue-lanes= --max-connections= --submit-timeout= --bounce-to --treat-as-temporary= --dsn-notify= --dsn-return= --logfile= --logfile-time-format= --log-format= --syslog --aliases=' -- "$current"))
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
	fi
	return 0
}

complete -F _mailcrane mailcrane
