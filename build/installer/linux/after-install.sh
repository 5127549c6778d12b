#!/bin/sh
set -e

product=/opt/Keyswitch

ln -sf "$product/bin/keyswitch" /usr/bin/keyswitch

# Chromium's sandbox needs user namespaces, or a helper that is root's. Root may always make them: it is tried as nobody.
if setpriv --reuid=65534 --regid=65534 --clear-groups unshare --user true 2>/dev/null; then
  chmod 0755 "$product/chrome-sandbox"
else
  chmod 4755 "$product/chrome-sandbox"
fi

# Ubuntu 24 allows user namespaces only to programs with a profile.
profile="$product/resources/apparmor-profile"
if apparmor_status --enabled 2>/dev/null && apparmor_parser --skip-kernel-load "$profile" >/dev/null 2>&1; then
  cp "$profile" /etc/apparmor.d/keyswitch
  apparmor_parser --replace --write-cache --skip-read-cache /etc/apparmor.d/keyswitch || true
fi

# Whom the service runs as; it is there, and not enabled.
if command -v systemd-sysusers >/dev/null; then systemd-sysusers keyswitch.conf; fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # After an upgrade the new program.
  systemctl try-restart keyswitch.service
fi
