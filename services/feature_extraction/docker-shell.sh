#!/usr/bin/env bash
# A shell inside feature_extraction's container, its commands listed on entry; --help says more.
exec "$(dirname "${BASH_SOURCE[0]}")/../../scripts/docker-shell" feature_extraction "$@"
