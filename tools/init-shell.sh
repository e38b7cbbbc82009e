#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# /init of an interactive host: loads our module if it is there and gives a shell.

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t debugfs debug /sys/kernel/debug
mount -t tracefs trace /sys/kernel/tracing
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PS1='stockade# '

dmesg -n 4
if [ -e /stockade.ko ]; then
	insmod /stockade.ko && echo "stockade.ko is loaded"
	dmesg | grep -i stockade
fi
if [ -e /guest/initrd ]; then
	cat <<-END

		A protected VM with the kernel of this host, up to its shell; Ctrl-] and then q quits it:
		    stockade run -k /guest/Image -i /guest/initrd -a quiet -c 2
		What there is: stockade status, stockade --help.
	END
fi
echo "Leave with 'poweroff -f' or Ctrl-A x."
cd /root || exit 1
setsid cttyhack sh
poweroff -f
