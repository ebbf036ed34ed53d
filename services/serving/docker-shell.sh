#!/usr/bin/env bash
# A shell inside serving's container, its commands listed on entry; --help says more.
exec "$(dirname "${BASH_SOURCE[0]}")/../../scripts/docker-shell" serving "$@"
