#!/bin/sh
# Usage: sh get_california.sh [--archive FILE] [DIRECTORY]
# Writes california.csv, the California housing data, into DIRECTORY (default: where this script lies).
# Downloads the archive that scikit-learn uses, or takes FILE, a copy of it: cal_housing.tgz.
set -eu

url=https://ndownloader.figshare.com/files/5976036
sha256=aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681
member=CaliforniaHousing/cal_housing.data
header=longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,median_income,median_house_value

fail() {
  echo "get_california.sh: $*" >&2
  exit 1
}

archive=
directory=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n 2,4p "$0"; exit 0 ;;
    --archive)
      [ $# -ge 2 ] || fail "--archive needs the name of a file"
      archive=$2
      shift
      ;;
    -*) fail "unknown option $1; see --help" ;;
    *)
      [ -z "$directory" ] || fail "more than one directory: $directory and $1; see --help"
      directory=$1
      ;;
  esac
  shift
done
[ -n "$directory" ] || directory=$(dirname "$0")
[ -d "$directory" ] || fail "no directory $directory"

# Inside the target directory, so that the last step is a rename: the file is there completely or not at all.
work=$(mktemp -d "$directory/.california.XXXXXX") || fail "cannot write into $directory"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$archive" ]; then
  [ -r "$archive" ] || fail "cannot read $archive"
else
  archive=$work/cal_housing.tgz
  if command -v curl > /dev/null; then
    curl -fsSL -o "$archive" "$url" || fail "cannot download $url"
  elif command -v wget > /dev/null; then
    wget -q -O "$archive" "$url" || fail "cannot download $url"
  else
    fail "needs curl or wget; or download $url and pass it with --archive"
  fi
fi

if command -v sha256sum > /dev/null; then
  found=$(sha256sum < "$archive")
elif command -v shasum > /dev/null; then
  found=$(shasum -a 256 < "$archive")
else
  fail "needs sha256sum or shasum"
fi
found=${found%% *}
[ "$found" = "$sha256" ] || fail "$archive is not the expected archive: SHA-256 $found, expected $sha256"

gzip -dc < "$archive" | (cd "$work" && tar -xf - "$member") || fail "cannot extract $member from $archive"

# 41.000000 becomes 41, and 8.325200 becomes 8.3252.
awk -F, -v OFS=, -v header="$header" '
  BEGIN { print header }
  NF != 9 { exit 1 }
  { sub(/\r$/, ""); for (i = 1; i <= NF; ++i) if ($i ~ /\./) sub(/\.?0+$/, "", $i); print }
  END { if (NR != 20640) exit 1 }
' "$work/$member" > "$work/california.csv" || fail "$member does not hold 20640 rows of 9 fields"

chmod 644 "$work/california.csv"
mv "$work/california.csv" "$directory/california.csv" || fail "cannot write $directory/california.csv"
echo "$directory/california.csv: 20640 rows"
