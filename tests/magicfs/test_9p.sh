#!/bin/sh
# The table of cases and random operations from a Linux guest that has mounted the shares with 9P: without a cache, and once
# more with one, as far as the host does not interfere.
exec "$(dirname "$0")/run.sh" 9p --stress
