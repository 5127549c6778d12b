#!/bin/sh
set -e

# An upgrade comes here too, with the new version's files in place.
if [ "$1" != remove ] && [ "$1" != purge ]; then exit 0; fi

rm -f /usr/bin/keyswitch

if [ -f /etc/apparmor.d/keyswitch ]; then
  apparmor_parser --remove /etc/apparmor.d/keyswitch 2>/dev/null || true
  rm -f /etc/apparmor.d/keyswitch
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

# The data goes only with a purge, as everywhere in Debian.
if [ "$1" = purge ]; then rm -rf /var/lib/keyswitch; fi
