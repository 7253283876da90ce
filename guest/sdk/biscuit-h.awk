# Writes biscuit.h from the host's table of native registers (modules/device/native_regs.def).
# Rows of device NATIVE hold for every slot: each device gets its own STATUS and IDENTITY register.

BEGIN { common = 0 }

# Number of register `reg` of slot `slot`: 8 slots each in two ranges of custom CSRs.
function csr_number(slot, reg) { return (slot < 8 ? 1472 + 8 * slot : 2496 + 8 * (slot - 8)) + reg }

function add(text) { body = body text "\n" }

function add_define(name, value, help) { add(sprintf("#define %-36s %-12s /* %s */", name, value, help)) }

function add_register(device, reg, name, access, width, help,    id, fn, type) {
	id = device "_" name
	fn = tolower(id)
	add_define(id, sprintf("0x%x", csr_number(slot_of[device], reg)), access ": " help)
	type = width == "WIDE" ? "uint64_t" : "uint32_t"
	if (access != "WO")
		functions = functions "static inline " type " " fn "_read(void)\n{\n\treturn " (width == "WIDE" ? \
			"NATIVE_READ_WIDE(" id ", " device "_HIGH)" : "(uint32_t)csr_read(" id ")") ";\n}\n\n"
	if (access != "RO")
		functions = functions "static inline void " fn "_write(" type " value)\n{\n\t" (width == "WIDE" ? \
			"NATIVE_WRITE_WIDE(" id ", " device "_HIGH, value)" : "csr_write(" id ", value)") ";\n}\n\n"
}

/^(SLOT|REG|BIT|BITS|VALUE)\(/ {
	kind = substr($0, 1, index($0, "(") - 1)
	row = substr($0, index($0, "(") + 1)
	help = row
	sub(/^[^"]*("[^",]*", *)?"/, "", help) # a slot's row has its class in quotes before the help
	sub(/"\)$/, "", help)
	split(row, field, /, */)
	device = field[1]

	if (kind == "SLOT") {
		slot_of[device] = field[2]
		gsub(/"/, "", field[4])
		add("\n/* Slot " field[2] ", module " field[4] ": " help " */")
		add_define(device "_SLOT", field[2], "its slot")
		add_define(device "_VERSION", field[3], "of the interface below: bits 7:0 of IDENTITY")
		for (i = 0; i < common; i++)
			add_register(device, common_reg[i], common_name[i], common_access[i], "WORD", common_help[i])
	} else if (kind == "REG" && device == "NATIVE") {
		common_reg[common] = field[2]
		common_name[common] = field[3]
		common_access[common] = field[4]
		common_help[common++] = help
	} else if (kind == "REG") {
		add_register(device, field[2], field[3], field[4], field[5], help)
	} else if (kind == "BIT") {
		add_define(device "_" field[2] "_" field[4], sprintf("0x%x", 2 ^ field[3]), help)
	} else if (kind == "BITS") {
		add_define(device "_" field[2] "_" field[5] "_SHIFT", field[3], help)
		add_define(device "_" field[2] "_" field[5] "_MASK", sprintf("0x%x", (2 ^ field[4] - 1) * 2 ^ field[3]),
			"before the shift: bits " field[3] + field[4] - 1 ":" field[3])
	} else {
		add_define(device "_" field[2] "_" field[3], field[4], help)
	}
	rows++
}

END {
	if (!rows) {
		print "biscuit-h.awk: no rows found: give it native_regs.def" > "/dev/stderr"
		exit 1
	}
	print "/*"
	print " * The registers of Biscuit's native devices: made from the table that the devices themselves are built from."
	print " *"
	print " * DEVICE_REGISTER is the number of a control register, DEVICE_REGISTER_NAME a bit or value of it, and"
	print " * device_register_read() and _write() access it. docs/devices.md says what they mean."
	print " */"
	print "/* clang-format off */"
	print "#ifndef BISCUIT_H"
	print "#define BISCUIT_H"
	print "\n/* Every slot */"
	printf "%s", body
	print "\n#ifndef __ASSEMBLER__\n"
	print "#include <riscv.h>\n#include <stdint.h>\n"
	print "/* 64-bit registers: whole on rv64, in two halves on rv32, the upper one through the slot's register HIGH. */"
	print "#if __riscv_xlen == 64"
	print "#define NATIVE_READ_WIDE(csr, high) ((uint64_t)csr_read(csr))"
	print "#define NATIVE_WRITE_WIDE(csr, high, value) csr_write(csr, value)"
	print "#else"
	print "#define NATIVE_READ_WIDE(csr, high) \\"
	print "\t({ \\"
	print "\t\tunsigned long wide_low = csr_read(csr); \\"
	print "\t\t(uint64_t)csr_read(high) << 32 | wide_low; \\"
	print "\t})"
	print "#define NATIVE_WRITE_WIDE(csr, high, value) \\"
	print "\tdo { \\"
	print "\t\tuint64_t wide_value = (value); \\"
	print "\t\tcsr_write(high, wide_value >> 32); \\"
	print "\t\tcsr_write(csr, wide_value); \\"
	print "\t} while (0)"
	print "#endif\n"
	printf "%s", functions
	print "#endif\n#endif"
}
