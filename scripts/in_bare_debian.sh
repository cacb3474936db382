#!/bin/sh
# Usage: sh scripts/in_bare_debian.sh 12|13 COMMAND [ARGUMENT...]
#
# Runs a command in a root of Debian 12 or 13 that holds nothing but the base system and a copy of this checkout, and
# exits with its exit code: what happens on a newcomer's machine. The root is thrown away afterwards. The copy has the
# tracked files as they are, changes that are not committed included; where GAL_DATA_DIR is set, the command gets a copy
# of that folder too.
#
# Needs root, git, debootstrap (Debian, Ubuntu: apt-get install debootstrap) and a network. Where one of them is missing,
# says so and exits with 77. Base systems and downloaded packages are kept in build/bare_debian, or in the folder
# that GAL_BARE_DEBIAN_DIR names; remove it for newer ones.
set -eu

case "${1:-}" in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *) suite= ;;
esac
if [ -z "$suite" ] || [ $# -lt 2 ]; then
  sed -n 2p "$0" >&2
  exit 2
fi
release=$1
shift

cannot() {
  echo "in_bare_debian.sh: $*" >&2
  exit 77
}

[ "$(id -u)" -eq 0 ] || cannot "needs root"
PATH=$PATH:/usr/sbin:/sbin
for tool in git debootstrap chroot; do
  command -v "$tool" >/dev/null || cannot "needs $tool"
done

kept=${GAL_BARE_DEBIAN_DIR:-$(dirname "$0")/../build/bare_debian}/$release
mkdir -p "$kept/packages"
kept=$(cd "$kept" && pwd)
data=
if [ -n "${GAL_DATA_DIR:-}" ]; then
  data=$(cd "$GAL_DATA_DIR" && pwd)
fi
cd "$(dirname "$0")/.."

git() { command git -c safe.directory='*' "$@"; }  # the checkout may be another user's
git rev-parse HEAD >/dev/null || cannot "needs a checkout of git"

here=$(mktemp -d "$kept/run.XXXXXX")
trap 'rm -rf --one-file-system "$here"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! [ -d "$kept/base" ]; then
  echo "Making a base system of Debian $release" >&2
  debootstrap --variant=minbase "$suite" "$here/base" >"$kept/debootstrap.log" 2>&1 || {
    tail -n 5 "$kept/debootstrap.log" >&2
    cannot "debootstrap failed, see $kept/debootstrap.log"
  }
  rm -f "$here"/base/var/cache/apt/archives/*.deb
  mv -T "$here/base" "$kept/base" || [ -d "$kept/base" ]  # another run may have made it meanwhile
fi

root=$here/root
cp -a "$kept/base" "$root"
chroot "$root" true || cannot "may not enter a root"
for file in resolv.conf hosts; do
  cp -L "/etc/$file" "$root/etc/$file" || echo "in_bare_debian.sh: no /etc/$file" >&2
done
chroot "$root" apt-get update -qq -o APT::Update::Error-Mode=any >"$kept/update.log" 2>&1 || cannot "the packages are out of reach, see $kept/update.log"
packages=$root/var/cache/apt/archives
find "$kept/packages" -name '*.deb' -exec cp -l -t "$packages" {} +
mkdir "$root/gal"
untracked=$(git ls-files --others --exclude-standard)
[ -z "$untracked" ] || echo "in_bare_debian.sh: left out, not being tracked:" $untracked >&2
cp "$(git rev-parse --git-path index)" "$here/index"
files=$(export GIT_INDEX_FILE="$here/index" && git add --update && git write-tree)
git archive "$files" | tar -x -C "$root/gal"
if [ -n "$data" ]; then
  mkdir "$root/data"
  cp -RL "$data/." "$root/data"
fi

# Mounts are the command's own, and gone with it.
cat >"$here/run.sh" <<'TEXT'
root=$1
shift
if [ "$GAL_MOUNTS" = own ]; then
  mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || GAL_MOUNTS=none
fi
if [ "$GAL_MOUNTS" = none ]; then
  echo "in_bare_debian.sh: not permitted to mount /proc and /dev, going on without" >&2
fi
exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  TERM="${TERM:-dumb}" ${GAL_DATA_DIR:+GAL_DATA_DIR=/data} \
  ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
  sh -c 'cd /gal && exec "$@"' sh "$@"
TEXT
status=0
if unshare --mount true 2>/dev/null; then
  GAL_MOUNTS=own unshare --mount sh "$here/run.sh" "$root" "$@" || status=$?
else
  GAL_MOUNTS=none sh "$here/run.sh" "$root" "$@" || status=$?
fi

find "$packages" -maxdepth 1 -name '*.deb' -exec cp -lfn -t "$kept/packages" {} +
exit "$status"
