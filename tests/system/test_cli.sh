#!/bin/bash
# The command line of biscuit-run: what is wrong is refused with one clear line on standard error, a non-zero status, and
# nothing left behind; what it promises about exit statuses, pipes and signals holds.
#   test_cli.sh [WORDS]     only the checks whose name contains WORDS
set -u
run=${BISCUIT_RUN:-./biscuit-run}
only=${1:-}
CC=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/test_cli.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir tmp
export TMPDIR=$work/tmp
count=0
failed=0

wanted() {
	[[ -z $only || $1 == *"$only"* ]]
}

# verdict NAME MESSAGE: counts the check; an empty message is success.
verdict() {
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		failed=$((failed + 1))
		echo "not ok $count - $1"
		echo "# $2"
		sed 's/^/#   /' "$work/err" 2>/dev/null
	fi
}

# refused NAME WORDS ARGUMENTS...: status 125 and one line on standard error that has the words (a regular expression).
refused() {
	local name=$1 words=$2 status problem=''
	shift 2
	wanted "$name" || return
	timeout 60 "$run" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ $status = 125 ] || problem="exit status $status, expected 125"
	[ "$(wc -l <"$work/err")" = 1 ] || problem="$(wc -l <"$work/err") lines on standard error, expected 1"
	grep -Eq -e "^biscuit-run: .*$words" "$work/err" || problem="standard error does not say '$words'"
	[ ! -s "$work/out" ] || problem="something on standard output"
	verdict "$name" "$problem"
}

# expect NAME STATUS COMMAND...: a shell function or command ends with that status.
expect() {
	local name=$1 want=$2 status
	shift 2
	wanted "$name" || return
	"$@" 2>"$work/err"
	status=$?
	if [ $status = "$want" ]; then
		verdict "$name" ''
	else
		verdict "$name" "status $status, expected $want"
	fi
}

# --- Small guests, made without a compiler ---

bytes() {
	local b
	for b; do
		printf "\\x$b"
	done
}

le() { # VALUE SIZE
	local i v=$1
	for ((i = 0; i < $2; i++)); do
		bytes "$(printf %02x $((v & 255)))"
		v=$((v >> 8))
	done
}

# An ELF file of one segment at $2 whose contents are standard input. $1 is 32 or 64; EM and ENTRY change it.
elf() {
	local code
	code=$(od -An -v -tx1 | tr -d '\n')
	# shellcheck disable=SC2086
	set -- "$1" "$2" $code
	local width=$1 at=$2
	shift 2
	bytes 7f 45 4c 46 "$([ "$width" = 64 ] && echo 02 || echo 01)" 01 01 00 00 00 00 00 00 00 00 00
	le 2 2 && le "${EM:-243}" 2 && le 1 4
	if [ "$width" = 64 ]; then
		le $((${ENTRY:-$at})) 8 && le 64 8 && le 0 8 && le 0 4 && le 64 2 && le 56 2 && le 1 2 && le 64 2 && le 0 4
		le 1 4 && le 5 4 && le 120 8 && le $((at)) 8 && le $((at)) 8 && le $# 8 && le $# 8 && le 4096 8
	else
		le $((${ENTRY:-$at})) 4 && le 52 4 && le 0 4 && le 0 4 && le 52 2 && le 32 2 && le 1 2 && le 40 2 && le 0 4
		le 1 4 && le 84 4 && le $((at)) 4 && le $((at)) 4 && le $# 4 && le $# 4 && le 5 4 && le 4096 4
	fi
	bytes "$@"
}

# Ends with the exit status $1 through the test finisher: lui a0, 0x100; lui a1, STATUS0003 bits; sw a1, 0(a0); j .
ends_with() {
	le $((0x00100537)) 4                                  # lui a0, 0x100
	if [ "$1" = 0 ]; then
		le $((0x000055b7)) 4 && le $((0x55558593)) 4  # lui a1, 0x5; addi a1, a1, 0x555
	else
		local v=$(($1 << 16 | 0x3333))
		le $(((v + 0x800 & 0xfffff000) | 0x5b7)) 4 && le $(((v & 0xfff) << 20 | 0x58593)) 4
	fi
	le $((0x00b52023)) 4 && le $((0x0000006f)) 4          # sw a1, 0(a0); j .
}

# Sleeps for ever: wfi; j .-4
sleeps() {
	le $((0x10500073)) 4 && le $((0xffdff06f)) 4
}

# Prints 'A' on the UART for ever: lui a0, 0x10000; li a1, 'A'; sb a1, 0(a0); j .-4
prints() {
	le $((0x10000537)) 4 && le $((0x04100593)) 4 && le $((0x00b50023)) 4 && le $((0xffdff06f)) 4
}

# Ends with 0 through SBI's system reset extension; without an SBI its ecall goes nowhere.
ends_by_sbi() {
	local word
	for word in 0x535258b7 0x35488893 0x00000813 0x00000513 0x00000593 0x00000073 0x0000006f; do
		le $word 4 # li a7, 0x53525354; li a6, 0; li a0, 0; li a1, 0; ecall; j .
	done
}

# As ends_with, but only in machine mode.
ends_in_m_mode() {
	le $((0x300022f3)) 4 # csrr t0, mstatus
	ends_with "$1"
}

# A firmware that checks what it finds at a2, as fw_dynamic does, and goes on in S-mode where that says.
firmware() {
	local word
	for word in 0x00062283 0x49425337 0x34f30313 0x00629063 0x01063283 0x34129073 0xfff00313 0x3b031073 0x01f00313 \
		0x3a031073 0x00001337 0x00135313 0x30031073 0x30200073; do
		le $word 4 # magic number 0x4942534f, or stay; mepc = next address; open the PMP; MPP = S; mret
	done
}

# Changes itself and resets the machine; ends with 0 where the image is then as it was, and with 3 otherwise. That it was
# there before, it tells by a word 1 MiB behind itself.
resets() {
	local word
	for word in 0x00000397 0x00100337 0x006382b3 0x0002ae03 0x00100537 0x020e1063 0x00100e13 0x01c2a023 0x05c3ae23 \
		0x000075b7 0x77758593 0x00b52023 0x0000006f 0x05c3ae83 0x000e9a63 0x000055b7 0x55558593 0x00b52023 \
		0x0000006f 0x000335b7 0x33358593 0x00b52023 0x0000006f 0; do
		le $((word)) 4
	done
}

# A Linux image of text offset $1 whose code is standard input: the header of the RISC-V boot protocol.
linux_image() {
	le $((0x0400006f)) 4 && le $((0x13)) 4 && le $(($1)) 8 && le 4096 8 && le 0 8 && le 2 4 && le 0 4 && le 0 8
	printf 'RISCV\0\0\0RSC\005' && le 0 4
	cat
}

ends_with 0 | elf 64 0x80000000 >off.elf
ends_with 42 | elf 64 0x80000000 >status42.elf
ends_with 7 | elf 32 0x80000000 >status7-rv32.elf
ends_with 255 | elf 64 0x80000000 >status255.elf
ends_with 9 >status9.raw
sleeps | elf 64 0x80000000 >sleeps.elf
prints | elf 64 0x80000000 >prints.elf
sleeps | elf 64 0x1000 >low.elf
sleeps | elf 64 0x87fffffc >straddles.elf
sleeps | EM=62 elf 64 0x80000000 >x86.elf
sleeps | ENTRY=0x80001000 elf 64 0x80000000 >entry.elf
head -c 70 off.elf >truncated.elf
head -c 20 off.elf >header.elf
: >empty.elf
gzip -c off.elf >compressed.elf
ends_by_sbi | elf 64 0x80200000 >sbi.elf
ends_by_sbi | elf 32 0x80400000 >sbi-rv32.elf
ends_by_sbi >sbi.raw
ends_by_sbi | linux_image 0x200000 >Image
ends_by_sbi | linux_image 0x400000 >Image-rv32
ends_in_m_mode 21 | elf 64 0x80000000 >bare.elf
ends_in_m_mode 22 | elf 64 0x80200000 >bare-2m.elf
ends_in_m_mode 23 | elf 64 0x80400000 >bare-4m.elf
ends_in_m_mode 24 | linux_image 0 >Image-bare
ends_with 5 >next.raw
resets >resets.raw
ends_with 6 | elf 64 0x80300000 >next.elf
firmware >firmware.raw
firmware | elf 64 0x80000000 >firmware.elf
sleeps >fw_dynamic.bin
echo 'not a device tree, just a line of text that is long enough to be looked at' >text.dtb
echo 'not a module' >text.so
mkfifo fifo
head -c 512 /dev/zero >disk.img
head -c 1024 /dev/zero >disk,2.img
truncate -s 150M large.img
eight=()
for _ in 1 2 3 4 5 6 7 8; do
	eight+=(--drive "file=disk.img,readonly")
done
mkdir -p cache/linux/debian cache/linux/none dir other/dir dir,2
cp Image cache/linux/debian/kernel
echo 'console=ttyS0 from-the-folder' >cache/linux/debian/append
echo 96M >cache/linux/debian/memory
cp Image dir/kernel

# --- Bad input ---

refused 'missing kernel' 'nowhere\.elf: No such file' nowhere.elf
refused 'folder as kernel' '/tmp: .*directory.*regular file' /tmp
refused 'FIFO as kernel' 'fifo: .*expected a regular file' fifo
refused 'empty kernel' 'empty\.elf: has 0 bytes' empty.elf
refused 'truncated program headers' 'truncated\.elf: truncated' truncated.elf
refused 'truncated file header' 'header\.elf: truncated' header.elf
refused 'other machine' 'x86\.elf: .*62.*243 \(RISC-V\)' x86.elf
refused 'compressed kernel' 'compressed\.elf: .*gzip' compressed.elf
printf 'MZ\0\0zimg....' >zboot.efi
refused 'compressed EFI kernel' "zboot\.efi: is a compressed EFI image, take the kernel's own 'Image'" zboot.efi
ends_by_sbi | linux_image 0x200001 >Image-odd
refused 'Linux image at an odd address' 'Image-odd: its header gives the odd text offset 0x200001' Image-odd
refused 'kernel outside RAM' 'low\.elf: .*0x1000-0x1007 is outside RAM, which is 0x80000000-0x87ffffff' low.elf
refused 'kernel beyond RAM' '0x87fffffc-0x88000003 is outside RAM' straddles.elf
refused 'entry outside the kernel' 'entry 0x80001000' entry.elf
refused 'wrong width' 'status7-rv32\.elf: .*ELF32.*--isa rv32' --isa rv64 status7-rv32.elf
refused 'two kernels' "unexpected 'b\.elf'" a.elf b.elf
refused 'unknown option' "unknown option '--memroy', did you mean '--memory'" --memroy 64M
refused 'unknown letter' "unknown option '-q'" -q
refused 'option without value' '--harts: expected N' --harts
refused 'value for a flag' '--list-modules takes no value' --list-modules=yes
refused 'bad memory size' "--memory: .*12Q" --memory 12Q off.elf
refused 'no memory' '--memory: 0 bytes' --memory 0 off.elf
refused 'odd memory size' 'memory|RAM' --memory 4097 off.elf
refused 'memory that cannot be had' 'memory|RAM' --memory 1000000T off.elf
refused 'memory that overflows' '--memory' --memory 99999999999999999999 off.elf
refused 'bad size of the code cache' '--code-cache: .*12Q' --code-cache 12Q off.elf
refused 'no code cache' '--code-cache: 0 bytes' --code-cache 0 off.elf
refused 'too small a code cache' 'code cache of 1024 KiB for 4 harts: expected 512 KiB' --code-cache 1M -n 4 off.elf
refused 'too large a code cache' 'code cache of .* expected 512 KiB to 1 GiB a hart' --code-cache 2G off.elf
refused 'too many harts' "--harts: '9', expected a number from 1 to 8" --harts 9 off.elf
refused 'hart words' "--harts: 'two'" --harts two off.elf
refused 'unknown extension' 'zbc' --isa rv64imac_zbc off.elf
refused 'unknown width' 'rv128' --isa rv128i off.elf
refused 'unknown engine' "engine.*interpr.*interp" --engine interpr off.elf
refused 'unknown module' "uart16551.*uart16550" --module uart16551 off.elf
refused 'unknown module option' "filee.*file" --module block,slot=3,filee=x off.elf
refused 'missing module option' 'block.*file' --module block,slot=3 off.elf
refused 'two devices in one place' '0x10000000.*uart16550|uart16550.*0x10000000' --module uart16550,at=0x10000000 off.elf
refused 'two devices in one slot' 'slot 1' --module console,slot=1 off.elf
refused 'missing shared object' 'nowhere\.so' --module ./nowhere.so off.elf
refused 'text as shared object' 'text\.so' --module ./text.so off.elf
refused 'missing drive' 'nowhere\.img' --drive file=nowhere.img off.elf
refused 'missing native drive' 'nowhere\.img' --drive file=nowhere.img,if=native off.elf
refused 'drive without file' "--drive: 'nowhere\.img', expected file=PATH" --drive nowhere.img off.elf
refused 'drive with an empty file name' "--drive: 'file=,readonly', expected file=PATH" --drive file=,readonly off.elf
refused 'unknown kind of drive' "--drive: if is 'virtoi' \(did you mean 'virtio'\?\), expected virtio or native" --drive file=disk.img,if=virtoi off.elf
refused 'unknown drive option' "--drive: .*'redonly' \(did you mean 'readonly'\?\)" --drive file=disk.img,redonly off.elf
refused 'comma in the name of a drive' "--drive: .*unknown option '2\.img'" --drive file=disk,2.img off.elf
refused 'two native drives' '--drive: if=native is given twice' --drive file=disk.img,if=native --drive if=native,file=disk.img off.elf
refused 'more drives than places' '--drive: .*all 8 places' "${eight[@]}" --drive file=disk.img,readonly off.elf
refused 'unknown kind of network' "--net: unknown kind 'usr' \(did you mean 'user'\?\)" --net usr off.elf
refused 'no kind of network' '--net: nothing given, expected user' --net '' off.elf
refused 'tap without interface' '--net: .*expected tap,ifname=NAME' --net tap off.elf
refused 'tap without an interface that exists' '--net: ' --net tap,ifname=nowhere-at-all-0 off.elf
refused 'options of no network' "--net: 'none,mac=1', expected nothing behind none" --net none,mac=1 off.elf
refused 'unknown network option' "--net: .*'hostfw'" --net user,hostfw=x off.elf
refused 'missing directory to share' "--share: there is no directory \./dri \(did you mean '\./dir'\?\)" --share ./dri off.elf
refused 'directory to share below a missing one' "--share: there is no directory cahce \(did you mean 'cache'\?\)" --share cahce/linux off.elf
refused 'file to share' '--share: disk\.img is not a directory' --share disk.img off.elf
refused 'nothing to share' "--share: ',ro', expected DIR" --share ,ro off.elf
refused 'comma in the name of a directory' "--share: unknown key '2'" --share dir,2 off.elf
refused 'unknown key of a share' "--share: unknown key 'onwer' \(did you mean 'owner'\?\), expected DIR" --share dir,onwer=host off.elf
refused 'value of a flag of a share' '--share: ro takes no value' --share dir,ro=yes off.elf
refused 'unknown owner of a share' "--share: .*owner.*'mappd'.*mapped" --share dir,owner=mappd off.elf
refused 'bad user of a share' "--share: .*uid.*nobody" --share dir,uid=nobody off.elf
refused 'two shares of one name' "--share: dir and other/dir would both be called 'dir', name=NAME" --share dir --share other/dir off.elf
refused 'share without a name' "--share: dir would be called '', expected a name" --share dir,name= off.elf
refused 'share with a long name' "--share: dir would be called 'n{32}', expected a name of 1 to 31" --share "dir,name=$(printf 'n%.0s' {1..32})" off.elf
refused 'share called as a device' "--share: dir: the machine has a module 'plic' already, name=NAME" --share dir,name=plic off.elf
refused 'two roots' '--share: dir and other/dir cannot both be the root' --share dir,root --share other/dir,root off.elf
refused 'share as root and device tree' '--share: root .*--dtb' --share dir,root --dtb text.dtb off.elf
refused 'unknown clock' "--clock: unknown clock 'vritual' \(did you mean 'virtual'\?\), expected host or virtual" --clock vritual off.elf
refused 'unknown firmware' "--firmware: there is no file 'sib' \(did you mean 'sbi'\?\), expected none, sbi or a file" --firmware sib off.elf
refused 'missing firmware' '--firmware: \./nowhere: No such file' --firmware ./nowhere off.elf
refused 'compressed firmware' '--firmware: compressed\.elf: .*gzip' --firmware compressed.elf off.elf
refused 'firmware without kernel' '--firmware sbi: expected a kernel' --firmware sbi
refused 'kernel in the place of the firmware' 'status42\.elf at 0x80000000-.* overlaps the firmware firmware\.elf at 0x80000000-' --firmware firmware.elf status42.elf
refused 'kernel and firmware of different widths' 'sbi-rv32\.elf: is an ELF32' --firmware firmware.elf sbi-rv32.elf
refused 'kernel given twice' "unexpected 'off\.elf', the kernel is 'bare\.elf'" --kernel bare.elf off.elf
refused 'missing kernel by option' 'nowhere\.elf: No such file' --kernel nowhere.elf
refused 'unknown console' "--console: unknown kind 'ptty' \(did you mean 'pty'\?\)" --console ptty off.elf
refused 'unknown log level' "--log: unknown level 'degub' \(did you mean 'debug'\?\)" --log degub off.elf
refused 'log in no folder' 'nowhere/log: No such file' --log nowhere/log off.elf
refused 'trace in no folder' 'nowhere/trace: No such file' --trace=file=nowhere/trace off.elf
refused 'trace of an unknown kind' "unknown kind 'insm' .*did you mean 'insn'" --trace=insm off.elf
refused 'trace of a file alone' 'a file is file=/tmp/t' --trace=/tmp/t off.elf
refused 'trace of an unknown trap' "did you mean 'ecall-u'" --trace=trap:ecall off.elf
refused 'profile in no folder' 'nowhere/x: No such file' --profile=nowhere/x off.elf
refused 'profile at no rate' 'from 1 to 20000' --profile=rate=0 off.elf
refused 'bad timeout' "--timeout: 'soon'" --timeout soon off.elf
refused 'negative timeout' "--timeout: '-1'" --timeout -1 off.elf
refused 'missing device tree' 'nowhere\.dtb' --dtb nowhere.dtb off.elf
refused 'text as device tree' 'text\.dtb.*device tree' --dtb text.dtb off.elf
refused 'device tree and command line' '--append .*--dtb' --dtb text.dtb --append x off.elf
refused 'missing initial RAM disk' 'nowhere\.img' --initrd nowhere.img off.elf
refused 'empty initial RAM disk' 'empty\.elf: is empty' --initrd empty.elf off.elf
refused 'folder as initial RAM disk' '--initrd: dir: is a directory' --initrd dir off.elf
refused 'initial RAM disk larger than memory' '--initrd: large\.img: 157286400 bytes do not fit' --initrd large.img off.elf
refused 'device tree and Linux folder' '--linux .*--dtb' --dtb text.dtb --linux ./dir
refused 'kernel and device tree in one page' 'no room' --memory 4K off.elf
refused 'unknown module in --help-module' "unknown module 'clnt', did you mean 'clint'" --help-module clnt
refused 'control characters in a name' '\?\[31mx\.elf: No such file' $'\e[31mx.elf'
refused 'missing file to disassemble' 'nowhere\.elf: No such file' --disasm nowhere.elf
refused 'device tree into no folder' 'nowhere/x\.dtb' --dump-dtb nowhere/x.dtb
export BISCUIT_CACHE=$work/cache
for option in '--memory 64M' '--clock host' '--dump-dtb x' '--share .'; do
	refused "a snapshot with ${option% *}" "${option% *} does not go with --restore" --restore x.snap $option
done
refused 'unknown Linux' "--linux: there is no 'debain' in .*/cache/linux \(did you mean 'debian'\?\); 'tools/debian-guest fetch'" --linux debain
refused 'missing Linux folder' "--linux: there is no folder \./nowhere; .*tools/debian-guest fetch" --linux ./nowhere
refused 'Linux folder without kernel' "--linux: .*/none has no file 'kernel'" --linux none
echo lots >cache/linux/none/memory
refused 'bad memory of a Linux folder' "--linux: .*/none/memory: 'lots'" --linux none --kernel Image
: >cache/linux/none/append
refused 'empty command line of a Linux folder' '--linux: .*/none/append: empty' --linux none --kernel Image
if wanted 'no cache'; then
	BISCUIT_CACHE='' XDG_CACHE_HOME='' HOME='' refused 'no cache' 'BISCUIT_CACHE, XDG_CACHE_HOME and HOME' --linux debian
fi
if wanted 'no crumb'; then
	BISCUIT_DATADIR=$work/nowhere refused 'no crumb' "crumb-rv64\.elf in $work/nowhere"
fi

# --- A module built against the public headers ---

include=$(cd "$OLDPWD" && cd "${top_srcdir:-$(dirname "$0")/../..}/include" && pwd)
if command -v "${CC%% *}" >/dev/null && wanted 'shared object'; then
	cat >tiny.c <<-'END'
		#include <stdlib.h>
		#include <biscuit/module.h>

		static const struct bis_option options[] = {{"count", BIS_OPTION_U64, "1", NULL, "how many"}, {0}};

		static int tiny_create(struct bis_module *mod, const struct bis_options *o, void **self)
		{
			if (bis_option_u64(o, "count") > 5)
				return bis_fail(EINVAL, "%s: count is above 5", bis_module_name(mod));
			return (*self = malloc(1)) ? 0 : -1;
		}
		static const struct bis_module_class tiny = {.abi = BIS_MODULE_ABI, .version = 1, .name = "tiny",
			.summary = "a module of a test", .options = options, .create = tiny_create, .destroy = free};
		const struct bis_module_class *const bis_module_classes[] = {&tiny, NULL};
	END
	sed -i 's/#include <stdlib.h>/#include <errno.h>\n&/' tiny.c
	# shellcheck disable=SC2086
	$CC -shared -fPIC -I"$include" -o tiny.so tiny.c || verdict 'shared object' 'cannot be built'
	expect 'shared object' 42 "$run" --module tiny.so status42.elf
	expect 'shared object with options' 42 "$run" --module ./tiny.so,count=5 --module tiny,count=2 status42.elf
	refused 'shared object that refuses' 'tiny: count is above 5' --module "$work/tiny.so,count=6" status42.elf
	refused 'unknown option of a shared object' "tiny.*cuont.*count" --module tiny.so,cuont=6 status42.elf
	refused 'shared object twice' "there is a module class 'tiny' already" --module tiny.so --module tiny.so off.elf
fi

# --- Exit statuses ---

guest() {
	"$run" "$@" </dev/null
}
expect 'power off' 0 guest off.elf
expect 'status of the guest' 42 guest status42.elf
expect 'largest status' 255 guest status255.elf
expect 'width by the kernel' 7 guest status7-rv32.elf
expect 'raw image' 9 guest status9.raw
expect 'two harts' 42 guest --harts 2 status42.elf
expect 'kernel by option' 42 guest --kernel status42.elf
expect 'virtual clock' 42 guest --clock virtual status42.elf
expect 'host clock' 42 guest --clock host status42.elf
expect 'drive' 42 guest --drive file=disk.img status42.elf
expect 'drive with a comma in its name' 42 guest --drive file=disk,,2.img,readonly status42.elf
expect 'native and virtio drives' 42 guest --drive file=disk.img,if=native --drive file=disk,,2.img,if=virtio status42.elf
expect 'eight drives' 42 guest "${eight[@]}" status42.elf
expect 'no network' 42 guest --net none --net none status42.elf
expect 'shares' 42 guest --share dir --share other/dir,ro,name=other --share dir,,2 --share .,owner=mapped status42.elf
expect 'share of a 32-bit guest' 7 guest --share dir status7-rv32.elf
expect 'share of everything' 42 guest --share /,ro status42.elf
expect 'share that has no place' 42 guest "${eight[@]}" --share dir status42.elf
if wanted 'share that has no place'; then
	verdict 'share that has no place is said to' "$(grep -q "no place left for a virtio-9p, only native drivers see 'dir'" err || echo 'not said')"
fi
expect 'virtio module where there is room' 42 guest --drive file=disk.img --module virtio-rng status42.elf
expect 'virtio module at an address' 42 guest --module virtio-rng,at=0x10008000,irq=8 status42.elf

if ! "$run" --net user off.elf 2>&1 </dev/null | grep -q 'built without libslirp'; then
	expect 'user network' 42 guest --net user status42.elf
	expect 'two networks, a drive between' 42 guest --net user --drive file=disk.img --net user,mac=02:00:00:00:00:07 status42.elf
	refused 'bad MAC address' '--net: .*mac' --net user,mac=nonsense off.elf
	refused 'bad forwarding rule' '--net: .*tcp' --net user,hostfwd=tcp:nonsense off.elf
	refused 'bad second forwarding rule' '--net: .*icmp' --net user,hostfwd=tcp::47123-:22,hostfwd=icmp::1-:1 off.elf
fi

# Which firmware: sbi.* end only in S-mode on the built-in SBI, bare* only in M-mode.
expect 'ELF file at the start of RAM runs bare' 21 guest bare.elf
expect 'ELF file at 2 MiB runs on the SBI' 0 guest --timeout 20 sbi.elf
expect '32-bit ELF file at 4 MiB runs on the SBI' 0 guest --timeout 20 sbi-rv32.elf
expect '64-bit ELF file at 4 MiB runs bare' 23 guest bare-4m.elf
expect 'Linux image runs on the SBI' 0 guest --timeout 20 Image
expect '32-bit Linux image runs on the SBI' 0 guest --timeout 20 Image-rv32
expect 'Linux image for machine mode runs bare' 24 guest Image-bare
expect 'Linux image with all places taken' 0 guest --timeout 20 "${eight[@]}" Image
expect '--firmware none' 22 guest --firmware none bare-2m.elf
expect '--firmware sbi with a raw image' 0 guest --timeout 20 --firmware sbi sbi.raw
expect 'firmware file and raw kernel' 5 guest --timeout 20 --firmware firmware.raw --kernel next.raw
expect 'firmware ELF file and ELF kernel' 6 guest --timeout 20 --firmware firmware.elf next.elf
expect 'firmware file and two harts' 5 guest --timeout 20 --harts 2 --firmware firmware.raw --kernel next.raw
expect 'reset loads the kernel anew' 0 guest --timeout 20 resets.raw
expect 'reset loads the kernel anew for the SBI' 0 guest --timeout 20 --firmware sbi resets.raw
expect 'reset loads firmware file and kernel anew' 0 guest --timeout 20 --firmware firmware.raw --kernel resets.raw
expect 'firmware file alone' 9 guest --firmware status9.raw
expect 'Linux folder' 0 guest --timeout 20 --linux ./dir
expect 'Linux by name' 0 guest --timeout 20 --linux debian
expect 'Linux folder with another kernel' 42 guest --timeout 20 --linux debian status42.elf
expect 'timeout' 124 guest --timeout 0.2 sleeps.elf
expect 'timeout of a guest in lockstep' 124 guest --timeout 0.2 --engine check,interp sleeps.elf
expect 'timeout of a busy guest' 124 guest --console null --timeout 0.2 prints.elf
expect 'standard input is closed' 42 bash -c '"$0" status42.elf <&-' "$run"
expect 'console on a file' 124 guest --console file="$work/console.txt" --timeout 0.2 prints.elf
if wanted 'console on a file'; then
	verdict 'console on a file gets the output' "$(grep -q AAAA console.txt || echo 'nothing there')"
fi
if wanted 'closed standard output'; then
	"$run" off.elf 2>"$work/err" >&-
	status=$?
	problem=''
	[ $status = 125 ] || problem="status $status, expected 125"
	grep -q 'standard output is closed' err || problem='not said'
	verdict 'closed standard output' "$problem"
fi

# --- Signals and pipes: the command ends by the signal, soon, and a pseudo-terminal's link is gone ---

# Starts the command in the background, waits until its link to a pseudo-terminal is there, sends SIGNAL.
by_signal() {
	local pid status
	rm -f link
	"$run" --console pty,link=link --timeout 60 sleeps.elf 2>"$work/err" &
	pid=$!
	until [ -e link ] || ! kill -0 $pid; do
		read -r -t 0.01 <> <(:)
	done
	kill -"$1" $pid
	wait $pid
	status=$?
	[ ! -L link ] || return 1
	return $status
}
for signal in TERM HUP; do
	expect "SIG$signal" $((128 + $(kill -l $signal))) by_signal $signal
done

# A second machine on the drive of one that runs.
shares_drive() {
	local pid
	: >running.txt
	"$run" --console file=running.txt --timeout 60 --drive file=disk.img prints.elf 2>/dev/null </dev/null &
	pid=$!
	until [ -s running.txt ] || ! kill -0 $pid; do
		read -r -t 0.01 <> <(:)
	done
	refused 'drive of another machine' '--drive: .*disk\.img.*in use' --drive file=disk.img off.elf
	refused 'native drive of another machine' '--drive: .*disk\.img.*in use' --drive file=disk.img,if=native off.elf
	kill $pid
	wait $pid
	expect 'drive of a machine that is gone' 42 guest --drive file=disk.img status42.elf
}
if wanted 'drive of another machine'; then
	shares_drive
fi

# The limit of open files of a machine that has shares, in a shell with a low one.
limit_with_shares() {
	local pid
	rm -f link
	(ulimit -S -n 128 && exec "$run" --console pty,link=link --timeout 60 --share dir sleeps.elf 2>"$work/err") &
	pid=$!
	until { [ -e link ] && awk '/^Max open files/ { exit $4 != $5 }' /proc/$pid/limits; } || ! kill -0 $pid; do
		read -r -t 0.01 <> <(:)
	done
	kill $pid
	local status=$?
	wait $pid
	return $status
}
expect 'shares raise the limit of open files' 0 limit_with_shares

into_closed_pipe() {
	"$run" --timeout 60 prints.elf </dev/null | head -c 10 >/dev/null
	return "${PIPESTATUS[0]}"
}
expect 'output to a closed pipe' 141 into_closed_pipe
if wanted 'output to a closed pipe'; then
	verdict 'output to a closed pipe says nothing' "$([ ! -s err ] || echo 'standard error is not empty')"
fi
expect 'full disk' 125 bash -c '"$0" --timeout 60 prints.elf </dev/null >/dev/full' "$run"

# The kernel is replaced by one with another entry while it waits for a key to reset the machine.
replaced_while_running() {
	local pid word
	for word in 0x10000537 0x04100593 0x00b50023 0x00550603 0x00167613 0xfe060ce3 0x00100537 0x000075b7 0x77758593 \
		0x00b52023 0x0000006f; do
		le $word 4 # prints 'A' on the UART, waits for its data-ready bit, writes 0x7777 to the finisher
	done | elf 64 0x80000000 >replaced.elf
	{ ends_with 18 && ends_with 17; } | ENTRY=0x80000014 elf 64 0x80000000 >other.elf
	mkfifo keys
	: >running.txt
	"$run" --timeout 60 replaced.elf <keys >running.txt &
	pid=$!
	exec 3>keys
	until [ -s running.txt ] || ! kill -0 $pid; do
		read -r -t 0.01 <> <(:)
	done
	mv other.elf replaced.elf
	echo >&3
	wait $pid
	local status=$?
	exec 3>&-
	return $status
}
expect 'reset starts a kernel that was replaced at its own entry' 17 replaced_while_running

# --- What it prints ---

says() { # WORDS ARGUMENTS...
	local words=$1
	shift
	"$run" "$@" </dev/null 2>&1 | grep -Eq -e "$words"
}
expect '--help' 0 says '--console KIND' --help
expect '--help fits a screen' 0 bash -c '[ $("$0" --help | wc -l) -le 48 ] && ! "$0" --help | grep -q ".\{80\}"' "$run"
expect '--version' 0 says '^biscuit-run [0-9]+\.[0-9]+' --version
expect '--list-modules' 0 says '^uart16550 +16550' --list-modules
expect '--help-module' 0 says 'file .*\(required\)' --help-module block
expect '--disasm of an ELF file' 0 says '80000010: *0000006f *jal +zero, 0x80000010' --disasm off.elf
expect '--disasm of a raw image' 0 says '80000000: *00100537 *lui' --disasm status9.raw
expect '--trace' 0 says '^0 M 0000000080000000 00100537 lui +a0, 0x100 +a0=0x100000' --trace off.elf
expect '--dump-dtb' 0 says 'riscv-virtio' --dump-dtb -
expect '--append' 0 says 'panic=1' --append panic=1 --dump-dtb -
expect 'command line of a Linux folder' 0 says 'console=ttyS0 from-the-folder' --linux debian --dump-dtb -
expect 'command line for a Linux folder without one' 0 says 'console=ttyS0' --linux ./dir --dump-dtb -
expect 'share as root' 0 says 'root=root rootfstype=9p rootflags=trans=virtio,version=9p2000\.L,.* rw' --share dir,root --dump-dtb -
expect 'read-only share as root of a Linux folder' 0 says 'from-the-folder root=base rootfstype=9p .* ro' --linux debian --share dir,root,ro,name=base --dump-dtb -
expect '--append replaces that of a folder' 1 says 'from-the-folder' --linux debian --append mine --dump-dtb -
expect 'fw_dynamic without kernel' 0 says 'warning: fw_dynamic.bin gets no next stage' --firmware fw_dynamic.bin --timeout 0.2
expect '--isa in the device tree' 0 says 'rv32ima' --isa rv32ima_zicsr --dump-dtb -
if command -v dtc >/dev/null && wanted 'dtc'; then
	expect 'dtc accepts the device tree' 0 bash -c '"$0" --harts 4 --dump-dtb x.dtb && said=$(dtc -I dtb -O dts -o /dev/null x.dtb 2>&1) && [ -z "$said" ]' "$run"
	expect 'the dumped tree can be given back' 42 guest --dtb x.dtb status42.elf
fi

if command -v dtc >/dev/null && wanted 'memory'; then
	# Eight times the memory that is there, and the PLIC where nothing is: the guest believes it, the machine does not care.
	dtc -q -I dtb -O dts x.dtb | sed 's/reg = <0x00 0x80000000 0x00 0x8000000>/reg = <0x00 0x80000000 0x00 0x40000000>/
		s/reg = <0x00 0xc000000 /reg = <0x00 0xd000000 /' | dtc -q -I dts -O dtb -o lie.dtb
	expect 'a device tree that lies harms nobody' 0 bash -c '! cmp -s x.dtb lie.dtb && echo poweroff | timeout 60 "$0" --dtb lie.dtb' "$run"
	expect 'memory of a Linux folder' 0 bash -c '"$0" --linux debian --dump-dtb - | dtc -q -I dtb | grep -q "reg = <0x00 0x80000000 0x00 0x6000000>"' "$run"
	expect 'memory for a Linux folder without it' 0 bash -c '"$0" --linux ./dir --dump-dtb - | dtc -q -I dtb | grep -q "0x20000000>"' "$run"
	expect '--memory replaces that of a folder' 0 bash -c '"$0" --linux debian -m 64M --dump-dtb - | dtc -q -I dtb | grep -q "0x4000000>"' "$run"
fi

# --- Progress: only on a terminal, and gone when all is there ---

if command -v script >/dev/null; then
	loads_large() {
		script -qec "'$run' -m 300M --initrd large.img --timeout 60 status42.elf" "$work/typescript" </dev/null >"$work/screen"
	}
	expect 'loading something large' 42 loads_large
	if wanted 'loading something large'; then
		grep -q 'loading large.img: [1-9][0-9]*%' screen
		verdict 'loading something large shows a percentage' "$([ $? = 0 ] || echo 'none on the terminal')"
		verdict 'loading something large ends with a clean line' "$(grep -q $'%\r  *\r' screen || echo 'the line is still there')"
	fi
	expect 'no progress without a terminal' 1 says 'loading' -m 300M --initrd large.img status42.elf
fi

verdict 'nothing is left behind' "$(ls -A "$TMPDIR")"
echo "1..$count"
[ $failed = 0 ]
