# Becomes the engine ("$@"), after leaving a guard behind that ends the engine when its owner is gone.
#
# Standard input is a pipe that only the owner holds open: it ends with the owner, however that dies. The owner writes
# `done` before it collects the engine's exit code, so the guard never signals a process number that was given away.
# The guard is started twice removed, because PostgreSQL does not expect children it has not made.
#
# $1: seconds for an orderly stop    $2: folder to remove afterwards, or empty    rest: the engine
seconds=$1 folder=$2
shift 2
lives() {
    kill -0 $$ || return
    # The first process of a container may never collect the dead; Linux shows them as such.
    read -r state 2>/dev/null </proc/$$/stat || return 0
    case ${state##*") "} in Z*) return 1 ;; esac
}
exec 3<&0 </dev/null
(
    trap '' HUP INT TERM
    (
        paused=
        while read -r word rest <&3; do
            case $word in
                done) exit 0 ;;
                paused) paused=$rest ;;
            esac
        done
        for process in $paused; do kill -CONT "$process"; done
        kill -INT $$
        rounds=$((seconds * 20))
        while lives; do
            [ "$rounds" -gt 0 ] || { kill -KILL $$; break; }
            sleep 0.05
            rounds=$((rounds - 1))
        done
        # Children of a killed engine may still be writing for a moment.
        [ -z "$folder" ] || rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
    ) >/dev/null 2>&1 &
)
exec "$@" 3<&-
