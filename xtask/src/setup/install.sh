# Installs Debian packages ("$@") without leaving a server running or starting one at the next boot.
#
# The tests need the programs only, and a system's own PostgreSQL would take the usual port.
# All of it is one function, because the shell must have read it before a package's script can read its input.
install() {
    set -eu
    policy=/usr/sbin/policy-rc.d
    if ! [ -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\n# Put here by cargo xtask setup while it installs packages.\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install -y --no-install-recommends "$@"
    if [ -d /run/systemd/system ]; then
        for package in "$@"; do systemctl disable --quiet "$package.service" || true; done
    fi
}
install "$@" </dev/null
