#!/bin/sh
# Regenerates drivers/src/main/generated/io/gatun/drivers/linux from linux.h and linux.symbols.
# Wants jextract (https://github.com/openjdk/jextract, built on JDK 23 or later) in $JEXTRACT or on the PATH,
# and the C headers of a 64-bit Linux. The same inputs give the same octets: run it, then look at `git diff`.
set -eu
export LC_ALL=C

jextract=${JEXTRACT:-jextract}
cd "$(dirname "$0")"
command -v "$jextract" > /dev/null || {
    echo "generate.sh: no jextract: put it on the PATH or its path in JEXTRACT" >&2
    exit 1
}

package=io.gatun.drivers.linux
folder=io/gatun/drivers/linux
generated=../generated
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

"$jextract" --target-package "$package" --header-class-name Linux --symbols-class-name LinuxShared --output "$fresh" @linux.symbols linux.h

# a symbol that the headers of this machine do not have is dropped without a word; that must not pass
sed -n 's/^--include-[a-z]* //p' linux.symbols | while read -r name; do
    grep -rqw -- "$name" "$fresh" || { echo "generate.sh: the headers here do not know $name" >&2; exit 1; }
done

rm -rf "${generated:?}/$folder"
mkdir -p "$generated/$folder"
cp "$fresh/$folder"/*.java "$generated/$folder/"
