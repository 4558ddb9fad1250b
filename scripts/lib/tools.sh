# Pinned tools, and the build of the deployed zip. Sourced by scripts/test, scripts/test-cdk,
# benches/run and the release workflow, from the root of the repository.

CARGO_LAMBDA_VERSION=1.9.2
MOTO_VERSION=5.2.5
tools="$PWD/.tools"

# Prints the heading of a step.
say() { printf '\n== %s\n' "$*"; }

# Installs Python packages into a folder of their own, unless the program is there already:
# venv <folder> <program> <packages>
venv() {
  local folder=$1 program=$2
  shift 2
  if [ ! -x "$folder/bin/$program" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet "$@"
  fi
}

# Installs cargo-lambda with its cross compiler, and sets cargo_lambda_bin to the folder of the
# programs.
install_cargo_lambda() {
  local folder="$tools/cargo-lambda-$CARGO_LAMBDA_VERSION-zig"
  venv "$folder" cargo-lambda "cargo-lambda==$CARGO_LAMBDA_VERSION"
  cargo_lambda_bin="$folder/bin"
}

# Builds a zip as it is deployed: build_zip -p <package> --x86-64|--arm64 <more options>
build_zip() {
  PATH="$cargo_lambda_bin:$PATH" cargo lambda build --quiet --release --locked \
    --output-format zip "$@"
}

# Unpacks the program of a zip: unpack_zip <zip> <folder>
unpack_zip() {
  python3 -m zipfile -e "$1" "$2"
  chmod +x "$2/bootstrap"
}

# Whether a program was built with the test-only feature panic-on-demand.
has_panic_switch() { grep --quiet --fixed-strings panic-on-demand "$1"; }

# Fails if a program was built with that feature.
refuse_panic_switch() {
  if has_panic_switch "$1"; then
    echo "the zip was built with the test-only feature panic-on-demand" >&2
    return 1
  fi
}
