#!/usr/bin/env bash
# The vendor's auto_dump_debug.sh, on ipudebug: the same three parameters, the same rows, the same folder.
#
#   ./auto_dump_debug.sh TOOLCHAIN_DIR SAMPLE.bin BENCHMARK.bin
#
#   TOOLCHAIN_DIR   the vendor's toolchain; anything will do, it is not needed here
#   SAMPLE.bin      dump of the model under suspicion (float.sim or fixed.sim)
#   BENCHMARK.bin   dump of the trusted one (the original model, or float.sim)
#
# Rows go to stdout, and every layer's values to the folder Undefined_<BENCHMARK.bin>_DumpDebug_out in the working
# directory; one that is there already is kept under a dated name. SAVE_ONE_ROW=1 writes one value a line.
# IPUDEBUG names the program, if it is not on the PATH.
set -euo pipefail

if [ $# -ne 3 ]; then
    echo "usage: $0 TOOLCHAIN_DIR SAMPLE.bin BENCHMARK.bin (found $# parameters)" >&2
    exit 2
fi
sample=$2
benchmark=$3

# check_dump FILE MESSAGE: ends the script with the vendor's words unless FILE is there and named as a dump.
check_dump() {
    if [ ! -f "$1" ] || [ "${1%.bin}" = "$1" ]; then
        echo "FATAL: $2" >&2
        echo "expected an existing file that ends in .bin, found: $1" >&2
        exit 2
    fi
}
check_dump "$sample" "float sim or sample dump bin file not exist!!!"
check_dump "$benchmark" "fixed sim or benchmark dump bin file not exist!!!"

program=${IPUDEBUG:-ipudebug}
if ! command -v "$program" >/dev/null; then
    echo "FATAL: no such program: $program" >&2
    echo "put ipudebug on the PATH (source .venv/bin/activate), or give its path in IPUDEBUG" >&2
    exit 2
fi

echo "note: ipudebug compares without a toolchain; $1 is not used" >&2
"$program" compare --details "Undefined_$(basename -- "$benchmark")_DumpDebug_out" -- "$sample" "$benchmark"
echo "DumpDebug done!!!" >&2
