# bash completion for sluice; "sluice ctl completion bash" prints it.
_sluice() {
    local cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(IFS=' '; compgen -W "standalone distributed ctl config-docs --help --version" -- "$cur"))
        return
    fi
    if [ "${COMP_WORDS[1]}" != ctl ]; then
        COMPREPLY=($(compgen -f -- "$cur"))
        return
    fi
    case ${COMP_WORDS[COMP_CWORD-1]} in
    -f | --file | --ca | --cert | --key | --password-file)
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    esac
    COMPREPLY=($("${COMP_WORDS[0]}" ctl __complete "${COMP_WORDS[@]:2:COMP_CWORD-1}" 2>/dev/null))
}
complete -o filenames -o bashdefault -F _sluice sluice
