#!/bin/sh
# Makes this machine a host of Sonde: installs the agent, enrols it and starts it. Served by the gateway, as root:
#
#   curl ... GATEWAY/install.sh | sh -s -- --token TOKEN      the line that the dashboard shows
#   curl ... GATEWAY/install.sh | sh -s -- --dry-run          what it would do
#   curl ... GATEWAY/install.sh | sh -s -- --help
#
# What it makes: /opt/sonde, /etc/sonde, /var/lib/sonde, the user sonde and /etc/systemd/system/sonde-agent.service;
# where there is no systemd instead of the latter /opt/sonde/run-agent, /run/sonde-agent.pid, /var/log/sonde-agent.log.
# It can be killed at any point and run again. Run later it upgrades. Nothing happens before its last line is read.
set -eu

# What the gateway filled in.
GATEWAY=@GATEWAY@
VERSION=@VERSION@
WHEEL=@WHEEL@
WHEEL_SHA256=@WHEEL_SHA256@
REQUIREMENTS_SHA256=@REQUIREMENTS_SHA256@
# The certificate authority that the gateway made and the SHA-256 of its certificate; empty: the system's vouch for it.
CA=@CA@
CA_FINGERPRINT=@CA_FINGERPRINT@

USER_NAME=sonde
DATA=/var/lib/sonde
CONFIGURATION=/etc/sonde
UNIT=/etc/systemd/system/sonde-agent.service
LOG=/var/log/sonde-agent.log
FIRST_SAMPLE_S=60

usage() {
    cat <<END
usage: install.sh [--token TOKEN | --token-file FILE] [--name ID] [--offline] [--prefix DIR] [--no-start] [--dry-run]
       install.sh --uninstall [--keep-data] [--prefix DIR] [--dry-run]

  --token TOKEN      enrolment token; not needed where the agent is enrolled already
  --token-file FILE  file that holds the token
  --name ID          host id to ask for; default: made from this machine's name
  --offline          take all packages from the gateway, none from a package index
  --prefix DIR       where to install (default: /opt/sonde)
  --no-start         install and enrol, but do not start the agent
  --dry-run          print the steps, change nothing
  --uninstall        stop the agent and remove everything that this script made
  --keep-data        leave /var/lib/sonde and the user: the identity and samples that were not sent yet
END
}

say() { printf '%s\n' "$*"; }

# One line that says what failed, where, and what to do.
die() {
    said=yes
    printf 'sonde: %s\n' "$*" >&2
    exit 1
}

# Announces a step; false in a dry run, in which the caller does nothing more.
step() {
    doing=$1
    if [ "$dry_run" = yes ]; then
        say "would $1"
        return 1
    fi
    say "$1"
}

clean_up() {
    status=$?
    trap - EXIT
    [ -z "$tmp" ] || rm -rf "$tmp"
    if [ "$status" != 0 ] && [ "$said" = no ]; then
        printf 'sonde: stopped while it was to %s; run the same line again\n' "$doing" >&2
    fi
    exit "$status"
}

main() {
    umask 022
    unset PYTHONPATH PYTHONHOME
    token='' token_file='' name='' prefix=/opt/sonde
    fresh=no offline=no start=yes dry_run=no uninstall=no keep_data=no
    tmp='' said=no doing='begin'
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    read_arguments "$@"
    cd /
    check_system
    if [ "$uninstall" = yes ]; then
        lock
        remove
    else
        find_python
        lock
        install
    fi
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --token | --token-file | --name | --prefix)
            [ $# -ge 2 ] && [ -n "$2" ] || die "$1 needs a value; see --help"
            case $1 in
            --token) token=$2 ;;
            --token-file) token_file=$2 ;;
            --name) name=$2 ;;
            --prefix) prefix=${2%/} ;;
            esac
            shift
            ;;
        --offline) offline=yes ;;
        --no-start) start=no ;;
        --dry-run) dry_run=yes ;;
        --uninstall) uninstall=yes ;;
        --keep-data) keep_data=yes ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) die "$1: unknown argument; see --help" ;;
        esac
        shift
    done
    case $prefix in
    /*[!A-Za-z0-9/._-]* | /*..* | [!/]* | '') die "--prefix $prefix: not an absolute path of a-z A-Z 0-9 / . _ -" ;;
    esac
    if [ -n "$token_file" ]; then
        [ -z "$token" ] || die "--token and --token-file: give one of them"
        token=$(cat "$token_file") || die "--token-file $token_file: not readable; give the path of a file"
        [ -n "$token" ] || die "--token-file $token_file: empty; put the token in it"
    fi
}

check_system() {
    [ "$(uname -s)" = Linux ] || die "this machine runs $(uname -s), not Linux; see docs/agent.md for others"
    if [ "$(id -u)" != 0 ] && [ "$dry_run" = no ]; then
        die "user $(id -un) may not install; run the line as root: ... | sudo sh -s -- ..."
    fi
    if ! command -v curl >/dev/null 2>&1; then
        die "curl not found; install it: $(install_command curl)"
    fi
}

# One run at a time; the lock goes with the process, however it ends.
lock() {
    [ "$dry_run" = no ] || return 0
    tmp=$(mktemp -d) || die "no temporary directory; free space in ${TMPDIR:-/tmp}, or set TMPDIR"
    command -v flock >/dev/null 2>&1 || return 0
    exec 9<"/etc"
    flock -n 9 || die "another run of this script is at work on this machine; wait for its end"
}

install_command() {
    for manager in apt-get dnf yum apk zypper pacman; do
        command -v "$manager" >/dev/null 2>&1 || continue
        case $manager in
        apt-get) say "apt-get install -y $1" ;;
        apk) say "apk add $1" ;;
        pacman) say "pacman -S $1" ;;
        *) say "$manager install -y $1" ;;
        esac
        return
    done
    say "the package $1 of your distribution"
}

# The first Python that is new enough and can make environments.
find_python() {
    old=''
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$(command -v "$candidate")
            "$python" -I -c 'import ensurepip, venv' 2>/dev/null ||
                die "$python cannot make environments (venv, ensurepip): $(install_command "$candidate-venv")"
            return
        fi
        old=" (python3 is $("$candidate" -V 2>&1))"
    done
    if command -v dnf >/dev/null 2>&1 || command -v zypper >/dev/null 2>&1; then
        package=python3.12
    elif command -v apt-get >/dev/null 2>&1; then
        package="python3 python3-venv"
    elif command -v pacman >/dev/null 2>&1; then
        package=python
    else
        package=python3
    fi
    die "Python 3.11 or later not found$old; install it: $(install_command "$package")"
}

install() {
    dir=$prefix/$VERSION-$(printf %.8s "$WHEEL_SHA256")
    leave_servers_alone
    if ! enrolled && [ -z "$token" ] && [ "$dry_run" = no ]; then
        die "not enrolled yet, and no --token given; the dashboard at $GATEWAY/ shows the line under \"Add a machine\""
    fi
    make_user
    make_directories
    make_environment
    enrol
    switch
    if [ "$start" = yes ]; then
        start_agent
        remove_others
        wait_for_sample
    else
        say "not started, as asked; run the line again without --no-start to start the agent"
    fi
}

make_user() {
    if id -u "$USER_NAME" >/dev/null 2>&1; then
        home=$(sed -n "s/^$USER_NAME:[^:]*:[^:]*:[^:]*:[^:]*:\([^:]*\):.*/\1/p" /etc/passwd)
        [ "$home" = "$DATA" ] ||
            die "the user $USER_NAME exists, with the home directory ${home:-?} instead of $DATA; rename or remove it"
        return 0
    fi
    step "create the system user $USER_NAME" || return 0
    shell=$(command -v nologin || say /bin/false)
    if command -v useradd >/dev/null 2>&1; then
        has_group || groupadd --system "$USER_NAME"
        useradd --system --gid "$USER_NAME" --home-dir "$DATA" --no-create-home --shell "$shell" "$USER_NAME"
    else
        has_group || addgroup -S "$USER_NAME"
        adduser -S -D -H -h "$DATA" -s "$shell" -G "$USER_NAME" "$USER_NAME"
    fi || die "the user $USER_NAME was not created; create it, with the home directory $DATA, and run the line again"
}

has_group() { grep -q "^$USER_NAME:" /etc/group; }

make_directories() {
    if [ ! -d "$DATA" ]; then
        step "create $DATA for the agent's identity and samples" || true
    fi
    if [ ! -e "$CONFIGURATION/agent.env" ]; then
        step "create $CONFIGURATION/agent.env for settings" || true
    fi
    [ "$dry_run" = no ] || return 0
    mkdir -p "$DATA" "$CONFIGURATION" "$prefix"
    chmod 0700 "$DATA"
    chown "$USER_NAME:$USER_NAME" "$DATA"
    if [ ! -e "$CONFIGURATION/agent.env" ]; then
        say "# Settings of the agent, one SONDE_NAME=value per line; restart it after a change. See docs/settings.md." \
            >"$tmp/agent.env"
        put "$tmp/agent.env" "$CONFIGURATION/agent.env"
    fi
    chmod 0640 "$CONFIGURATION/agent.env"
    chown "root:$USER_NAME" "$CONFIGURATION/agent.env"
}

# What an agent of an open bus was told: the identity says where the bus is, and who the agent is there.
retire_settings() {
    grep -q '^SONDE_NATS_' "$CONFIGURATION/agent.env" 2>/dev/null || return 0
    step "retire SONDE_NATS_... in $CONFIGURATION/agent.env, as the identity says where the bus is" || return 0
    sed 's/^SONDE_NATS_/# retired: &/' "$CONFIGURATION/agent.env" >"$tmp/agent.env"
    chmod 0640 "$tmp/agent.env"
    chown "root:$USER_NAME" "$tmp/agent.env"
    put "$tmp/agent.env" "$CONFIGURATION/agent.env"
}

# Moves a file to its place, whole or not at all.
put() {
    { cp -p "$1" "$2.new" && mv -f "$2.new" "$2"; } || die "$2: not written; free space there, or make it writable"
}

# The version of this gateway in a directory of its own, beside one that may be running.
make_environment() {
    if [ -e "$dir/.complete" ] && runs; then
        say "Sonde $VERSION is in $dir already"
        return 0
    fi
    step "make a Python environment in $dir with $python" || {
        step "download $WHEEL from $GATEWAY and check its SHA-256 $WHEEL_SHA256" || true
        step "install it with the packages that its lock file names" || true
        return 0
    }
    rm -rf "$dir"
    download requirements.txt "$REQUIREMENTS_SHA256"
    download "$WHEEL" "$WHEEL_SHA256"
    "$python" -I -m venv "$dir" >"$tmp/log" 2>&1 ||
        die "$dir: the environment could not be made: $(last_line); free space there, or choose another --prefix"
    step "install $WHEEL and the packages that its lock file names"
    install_packages
    pip --isolated --no-index --no-deps "$tmp/$WHEEL" || die "$WHEEL: not installed: $(last_line)"
    runs || die "$dir/bin/sonde does not start: $("$dir/bin/sonde" --version 2>&1 | tail -n 1); is $python complete?"
    touch "$dir/.complete"
}

leave_servers_alone() {
    for part in postgres nats authority certificates; do
        [ ! -e "$DATA/$part" ] || die "$DATA holds the data of a Sonde server, not of an agent; move it to another place"
    done
}

# False also when the Python that it was made with is gone, as after an upgrade of the distribution.
runs() { [ "$("$dir/bin/sonde" --version 2>&1)" = "$VERSION" ]; }

# What the lock file names, from the gateway's folder if it has it, else from the usual index.
install_packages() {
    set -- --isolated --no-index --find-links "$GATEWAY/install/"
    if [ -n "$CA" ]; then
        set -- "$@" --cert "$tmp/ca.pem"
    else # pip brings certificates of its own, and knows nothing of those that this system was given
        for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
            if [ -e "$bundle" ]; then set -- "$@" --cert "$bundle"; fi
        done
    fi
    case $GATEWAY in http://*) set -- "$@" --trusted-host "${GATEWAY#http://}" ;; esac
    if pip "$@" --require-hashes -r "$tmp/requirements.txt"; then
        return 0
    fi
    [ "$offline" = no ] ||
        die "the gateway does not serve every package: $(last_line); put its wheel into the gateway's folder of wheels"
    pip --require-hashes -r "$tmp/requirements.txt" ||
        die "packages not installed: $(last_line); let this machine reach a package index, or see --offline"
}

pip() {
    "$dir/bin/python" -I -m pip --disable-pip-version-check --no-input --no-cache-dir install --only-binary :all: "$@" \
        >"$tmp/log" 2>&1
}

last_line() { grep -v '^ *$' "$tmp/log" | tail -n 1; }

# Fetches /install/NAME and checks that it is what this script was written for.
download() {
    [ -z "$CA" ] || say "$CA" >"$tmp/ca.pem"
    url=$GATEWAY/install/$1
    curl -fsS --retry 3 --connect-timeout 20 ${CA:+--cacert "$tmp/ca.pem"} -o "$tmp/$1" "$url" 2>"$tmp/log" ||
        die "$url: not downloaded: $(last_line)"
    found=$("$python" -I -c '
import hashlib, pathlib, sys
print(hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())' "$tmp/$1")
    [ "$found" = "$2" ] ||
        die "$url: SHA-256 $found instead of $2; the gateway has changed meanwhile, paste its line again"
}

# Runs a command as the agent's user, with its settings and nothing of root's environment.
as_agent() {
    "$dir/bin/python" -I -c '
import os, pwd, sys
user = pwd.getpwnam(sys.argv[1])
os.setgroups([])
os.setgid(user.pw_gid)
os.setuid(user.pw_uid)
environment = {"PATH": os.defpath, "HOME": user.pw_dir, "SONDE_DATA": user.pw_dir}
os.execve(sys.argv[2], sys.argv[2:], environment)' "$USER_NAME" "$@"
}

enrolled() { [ -s "$DATA/agent/identity/identity.json" ]; }

enrol() {
    if enrolled && [ -n "$token" ]; then
        other=$(sed -n 's/^ *"gateway": *"\([^"]*\)".*/\1/p' "$DATA/agent/identity/identity.json")
        [ "$other" = "$GATEWAY" ] || die "this machine is a host of $other; to leave that fleet, --uninstall first"
    fi
    enrolled || fresh=yes
    [ "$fresh" = no ] || retire_settings
    step "enrol at $GATEWAY" || return 0
    set -- agent enrol --gateway "$GATEWAY" --token-file -
    [ -z "$CA_FINGERPRINT" ] || set -- "$@" --ca-fingerprint "$CA_FINGERPRINT"
    [ -n "$name" ] || name=$(sed -n 's/^SONDE_HOST=//p' "$CONFIGURATION/agent.env" | tr -d "\"'")
    [ -z "$name" ] || set -- "$@" --name "$name"
    said=yes # the command itself says what is wrong, or that this machine is enrolled already
    printf '%s\n' "$token" | as_agent "$dir/bin/sonde" "$@"
    said=no
}

# Makes the new version the one that runs from now on.
switch() {
    [ "$(readlink "$prefix/current" 2>/dev/null)" != "$(basename "$dir")" ] || return 0
    step "make $dir the current version" || return 0
    ln -sfn "$(basename "$dir")" "$prefix/current.new"
    "$python" -I -c 'import os, sys; os.replace(*sys.argv[1:])' "$prefix/current.new" "$prefix/current"
}

has_systemd() { [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; }

start_agent() {
    if has_systemd; then
        start_unit
    else
        start_loop
    fi
    [ "$dry_run" = yes ] || say "$dir" >"$prefix/started"
}

# Whether the version that runs is the one that is installed now.
started() { [ "$(cat "$prefix/started" 2>/dev/null)" = "$dir" ]; }

start_unit() {
    [ "$dry_run" = yes ] || sed "s|/opt/sonde/|$prefix/|g" "$(packaged systemd/sonde-agent.service)" >"$tmp/unit"
    if [ "$fresh" = no ] && started && cmp -s "$tmp/unit" "$UNIT" && systemctl is-active --quiet sonde-agent; then
        say "the agent runs already"
        return 0
    fi
    step "install $UNIT and start it" || return 0
    put "$tmp/unit" "$UNIT"
    systemctl daemon-reload
    systemctl enable --quiet sonde-agent
    systemctl restart sonde-agent || die "the agent did not start; see: journalctl -u sonde-agent"
}

# Where a file of the installed package infra is.
packaged() {
    "$dir/bin/python" -I -c 'import infra, os, sys; print(os.path.dirname(infra.__file__), sys.argv[1], sep="/")' "$1"
}

# From where the loop runs that starts the agent again; nothing where none does.
loop_prefix() {
    process=$(cat /run/sonde-agent.pid 2>/dev/null) || return 0
    tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline" | sed -n 's|^[^ ]* \(/.*\)/run-agent run $|\1|p'
}

leave_other_loops_alone() {
    other=$(loop_prefix)
    [ -z "$other" ] || [ "$other" = "$prefix" ] || die "the agent is installed in $other; give that as --prefix"
}

start_loop() {
    leave_other_loops_alone
    if [ "$fresh" = no ] && started && "$prefix/run-agent" status >/dev/null; then
        say "the agent runs already"
        return 0
    fi
    step "start the agent by $prefix/run-agent, as there is no systemd" || return 0
    stop_loop
    sed "s|/opt/sonde|$prefix|g" "$(packaged systemd/run-agent)" >"$tmp/run-agent"
    chmod 0755 "$tmp/run-agent"
    put "$tmp/run-agent" "$prefix/run-agent"
    "$prefix/run-agent" start 9<&- || die "the agent did not start; see $LOG"
    say "let the start scripts of this machine call \`$prefix/run-agent start\`"
}

stop_loop() {
    [ ! -x "$prefix/run-agent" ] || "$prefix/run-agent" stop || die "the agent does not end; end its processes yourself"
}

wait_for_sample() {
    step "wait up to $FIRST_SAMPLE_S s until the first sample is stored" || return 0
    said=yes
    as_agent "$dir/bin/sonde" agent wait --timeout "$FIRST_SAMPLE_S"
    said=no
}

# Other versions, once this one runs.
remove_others() {
    versions | while read -r other; do
        if [ "$other" != "$dir" ] && step "remove $other"; then rm -rf "$other"; fi
    done
    if made_by_hand && step "remove the environment that was made by hand in $prefix"; then remove_made_by_hand; fi
}

# What the documentation had people install before there was this script.
made_by_hand() { [ "$prefix" = /opt/sonde ] && [ -e "$prefix/pyvenv.cfg" ]; }

remove_made_by_hand() {
    for part in bin include lib lib64 share pyvenv.cfg; do rm -rf "${prefix:?}/$part"; done
}

# The directories that make_environment made.
versions() {
    for found in "$prefix"/[0-9]*-????????; do
        case ${found##*-} in *[!0-9a-f]*) ;; *) [ ! -d "$found" ] || say "$found" ;; esac
    done
}

remove() {
    if [ -e "$UNIT" ] && ! grep -q "^ExecStart=$prefix/" "$UNIT"; then
        die "the agent is installed in $(sed -n 's|^ExecStart=\(.*\)/[^/]*/bin/.*|\1|p' "$UNIT"); give that as --prefix"
    fi
    leave_servers_alone
    leave_other_loops_alone
    if step "stop the agent"; then
        if has_systemd && [ -e "$UNIT" ]; then systemctl disable --now --quiet sonde-agent || true; fi
        stop_loop
    fi
    if step "remove $UNIT, $prefix and $CONFIGURATION"; then
        rm -f "$UNIT" "$UNIT.new" "$LOG" "$LOG.1"
        if has_systemd; then systemctl daemon-reload; fi
        versions | while read -r version; do rm -rf "$version"; done
        if made_by_hand; then remove_made_by_hand; fi
        rm -rf "$prefix/current" "$prefix/current.new" "$prefix/run-agent" "$prefix/run-agent.new" "$prefix/started" \
            "$CONFIGURATION"
        rmdir "$prefix" 2>/dev/null || true # anything else in it is not ours
    fi
    if [ "$keep_data" = yes ]; then
        say "$DATA and the user $USER_NAME are kept, as asked"
    elif step "remove $DATA and the user $USER_NAME"; then
        rm -rf "$DATA"
        remove_user
    fi
    [ "$dry_run" = yes ] || say "uninstalled; the host stays in the fleet, offline, until it is removed at $GATEWAY/"
}

remove_user() {
    if command -v userdel >/dev/null 2>&1; then
        { ! id -u "$USER_NAME" >/dev/null 2>&1 || userdel "$USER_NAME"; } && { ! has_group || groupdel "$USER_NAME"; }
    else
        { ! id -u "$USER_NAME" >/dev/null 2>&1 || deluser "$USER_NAME"; } && { ! has_group || delgroup "$USER_NAME"; }
    fi || die "the user $USER_NAME was not removed; end its processes and run the line again"
}

main "$@" </dev/null
