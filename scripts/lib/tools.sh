# Installs pinned tools and builds the zip for deployment. The scripts, the benchmarks and the
# release workflow source this file from the root of the repository.

CARGO_DENY_VERSION=0.20.2
CARGO_LAMBDA_VERSION=$(sed -n 's/^cargo-lambda==\([0-9.]*\).*/\1/p' scripts/lib/cargo-lambda.txt)
MOTO_VERSION=5.2.5
OTLP_VERSION=1.45.2
AWS_CLI_VERSION=1.46.3
XLLAMACPP_VERSION=$(sed -n 's/^xllamacpp==\([0-9.]*\).*/\1/p' scripts/lib/live-server.txt)
# The glibc version of Amazon Linux 2023. The function is linked against it. `npm run deploy` builds
# with the same version (cdk/lib/code.ts).
GLIBC_VERSION=2.34
tools="$PWD/.tools"
target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")

# Prints a heading.
heading() { printf '\n== %s\n' "$*"; }

# Installs Python packages into a virtual environment, unless it already contains the given program:
# venv <folder> <program> <arguments of pip install>
venv() {
  local folder=$1 program=$2
  shift 2
  if [ ! -x "$folder/bin/$program" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet "$@"
  fi
}

# Installs the npm packages of a folder, unless they already match its lock file: npm_ci <folder>
npm_ci() {
  if ! cmp --silent "$1/package-lock.json" "$1/node_modules/.lock"; then
    npm ci --prefix "$1" --ignore-scripts --silent --no-audit --no-fund
    cp "$1/package-lock.json" "$1/node_modules/.lock"
  fi
}

# Installs cargo-deny and sets cargo_deny to the path of the program.
install_cargo_deny() {
  local folder="$tools/cargo-deny-$CARGO_DENY_VERSION"
  cargo_deny="$folder/bin/cargo-deny"
  if [ ! -x "$cargo_deny" ]; then
    # A debug build compiles faster, and it is fast enough because a run takes only a second.
    CARGO_TARGET_DIR="$tools/target" cargo install --quiet --locked --debug --root "$folder" \
      "cargo-deny@$CARGO_DENY_VERSION"
    rm -rf "$tools/target"
  fi
}

# Installs cargo-lambda with its cross compiler and the compressor for zips, checked against the hashes
# in cargo-lambda.txt, and sets cargo_lambda_bin to the folder that contains the programs.
install_cargo_lambda() {
  local folder="$tools/cargo-lambda-$CARGO_LAMBDA_VERSION-zig-zopfli"
  venv "$folder" cargo-lambda --require-hashes -r scripts/lib/cargo-lambda.txt
  cargo_lambda_bin="$folder/bin"
}

# Installs moto and sets moto_server to the path of the program.
install_moto() {
  local folder="$tools/moto-$MOTO_VERSION"
  venv "$folder" moto_server "moto[server]==$MOTO_VERSION"
  moto_server="$folder/bin/moto_server"
}

# Installs OpenTelemetry's types for exports and sets otlp_python to a Python that has them.
install_otlp() {
  local folder="$tools/opentelemetry-proto-$OTLP_VERSION"
  # The package contains no program. The link shows that its installation is complete.
  venv "$folder" otlp-python "opentelemetry-proto==$OTLP_VERSION"
  otlp_python="$folder/bin/otlp-python"
  ln --symbolic --force python "$otlp_python"
}

# Installs the AWS CLI and sets aws_cli_bin to the folder that contains the program.
install_aws_cli() {
  local folder="$tools/aws-cli-$AWS_CLI_VERSION"
  venv "$folder" aws "awscli==$AWS_CLI_VERSION"
  aws_cli_bin="$folder/bin"
}

# Installs llama.cpp's server and a small model, checked against the hashes in live-server.txt, and
# sets live_server to the Python that runs scripts/lib/live_server.py.
install_live_server() {
  local folder="$tools/xllamacpp-$XLLAMACPP_VERSION"
  # The packages contain no program. The link shows that their installation is complete.
  venv "$folder" live-server --no-deps --only-binary :all: --require-hashes \
    -r scripts/lib/live-server.txt
  live_server="$folder/bin/live-server"
  ln --symbolic --force python "$live_server"
}

# Installs Debian's package of Chromium unless the program exists, and sets chromium to its path.
install_chromium() {
  chromium=/usr/bin/chromium
  [ -x "$chromium" ] && return
  local install=(apt-get install --yes --quiet --no-install-recommends chromium)
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "$chromium does not exist: install it, as root with: ${install[*]}" >&2
    return 1
  fi
  # The lists of packages can be missing or older than the packages.
  export DEBIAN_FRONTEND=noninteractive
  if ! "${install[@]}" > /dev/null 2>&1 && ! { apt-get update --quiet && "${install[@]}"; } >&2; then
    echo "apt-get could not install chromium: install it, so that $chromium exists" >&2
    return 1
  fi
}

# Builds the zip for deployment, <folder>/<program>/bootstrap.zip:
# build_zip x86_64|aarch64 <folder> <program> <more options>
build_zip() {
  local target_triple="$1-unknown-linux-gnu.$GLIBC_VERSION" folder=$2 program=$3
  shift 3
  PATH="$cargo_lambda_bin:$PATH" cargo lambda build --quiet --release --locked \
    --target "$target_triple" --output-format zip --lambda-dir "$folder" --bin "$program" "$@"
  "$cargo_lambda_bin/python" scripts/lib/compress_zip.py "$folder/$program/bootstrap.zip"
}

# Unpacks the program in a zip: unpack_zip <zip> <folder>
unpack_zip() {
  python3 -m zipfile -e "$1" "$2"
  chmod +x "$2/bootstrap"
}

# Builds the function as it is deployed, for the processor of this machine, and exports
# SHIPPED_FUNCTION, so that tests run this build (crates/llm-exe-testkit/src/program.rs). Sets
# shipped_zip and shipped_program.
build_shipped() {
  export SHIPPED_FUNCTION="$target/shipped"
  shipped_zip="$SHIPPED_FUNCTION/llm-exe-lambda/bootstrap.zip"
  shipped_program="$SHIPPED_FUNCTION/llm-exe-lambda/bootstrap"
  build_zip "$(uname -m)" "$SHIPPED_FUNCTION" llm-exe-lambda -p llm-exe-lambda
  unpack_zip "$shipped_zip" "$(dirname "$shipped_program")"
}

# Builds the function like build_shipped, but with the test-only feature panic-on-demand, and sets
# panicking_program. Call it before build_shipped, which then leaves a build without the feature in
# the target folder.
build_panicking() {
  local folder="$target/shipped/panic-on-demand"
  panicking_program="$folder/llm-exe-lambda/bootstrap"
  build_zip "$(uname -m)" "$folder" llm-exe-lambda -p llm-exe-lambda --features panic-on-demand
  unpack_zip "$folder/llm-exe-lambda/bootstrap.zip" "$(dirname "$panicking_program")"
}

# Prints the highest glibc version that a program needs, and fails if Amazon Linux 2023 has an older
# one, or if the program needs another library, which each start would have to load.
check_glibc() {
  local needed others
  others=$(readelf --wide --dynamic "$1" | grep NEEDED | grep -v -e 'libc\.so' -e 'ld-linux' || true)
  if [ -n "$others" ]; then
    echo "$1 needs other libraries than glibc: $others" >&2
    return 1
  fi
  needed=$(readelf --wide --version-info "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
  needed=${needed#GLIBC_}
  echo "the highest glibc symbol version is ${needed:-none}; the maximum is $GLIBC_VERSION"
  [ "$(printf '%s\n' "$needed" "$GLIBC_VERSION" | sort -V | tail -1)" = "$GLIBC_VERSION" ]
}

# Fails if a program does not contain its rarely executed functions in a section of their own
# (crates/llm-exe-lambda/build.rs), or if that section has less than 1 MiB.
check_function_order() {
  local size
  size=$(readelf --wide --sections "$1" | awk '{
    for (column = 1; column <= NF; column++) if ($column == ".text.rare") print $(column + 4)
  }')
  size=$((0x${size:-0}))
  echo "$size bytes of rarely executed functions"
  [ "$size" -ge 1048576 ]
}

# Returns whether a program was built with the test-only feature panic-on-demand.
has_panic_switch() { grep --quiet --fixed-strings panic-on-demand "$1"; }

# Fails if a program was built with the test-only feature panic-on-demand.
check_no_panic_switch() {
  if has_panic_switch "$1"; then
    echo "$1 was built with the test-only feature panic-on-demand; rebuild it without" >&2
    return 1
  fi
}
