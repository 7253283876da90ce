#!/bin/bash
# Firmware as Debian ships it: OpenSBI hands over to U-Boot and to Debian's kernel.
. "$(dirname "$0")/lib.sh"
opensbi=/usr/lib/riscv64-linux-gnu/opensbi/generic
u_boot=/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin
need_file "$opensbi/fw_dynamic.bin" opensbi
truncate -s 16M "$work/disk.img"

if [ -e $u_boot ]; then
	talk u-boot --firmware "$opensbi/fw_dynamic.bin" --kernel "$u_boot" --drive "file=$work/disk.img" --net user <<-END
		expect 30 OpenSBI v[0-9]
		expect 30 Domain0 Next Mode +: S-mode
		expect 60 U-Boot 20[0-9][0-9]
		ok OpenSBI hands over to U-Boot
		expect 60 Hit any key
		send
		expect 30 =>
		ok U-Boot's prompt
		send virtio scan; virtio info; echo scanned-\$?
		expect 30 Device 0: .*VirtIO Block Device
		expect 30 Capacity: 16.0 MB
		ok U-Boot sees the disk
		expect 30 scanned-0
		send poweroff
		end 30 0
	END
	talk fw-jump --firmware "$opensbi/fw_jump.bin" --kernel "$u_boot" <<-END
		expect 30 OpenSBI v[0-9]
		expect 60 Hit any key
		send
		expect 30 =>
		ok U-Boot's prompt behind fw_jump
	END
else
	echo "# no U-Boot here (Debian: u-boot-qemu)"
fi

if [ -e "$cache/linux/debian/stamp" ]; then
	talk linux --firmware "$opensbi/fw_dynamic.bin" --linux debian <<-END
		expect 30 OpenSBI v[0-9]
		expect 120 init: begins
		expect 60 / #
		ok OpenSBI hands over to Debian's kernel
		send poweroff
		end 60 0
	END
fi
exit $status
