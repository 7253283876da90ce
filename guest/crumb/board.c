/*
 * A minimal reader of flattened device trees (Devicetree Specification 0.4, chapter 5).
 *
 * The tree is a stream of big-endian words: "node begins", "property", "node ends". One pass over the stream picks out
 * the few properties that crumb needs. Nothing in it is trusted: every offset and length is checked against the tree's
 * size before use, and a stream that makes no sense ends the pass.
 */
#include "board.h"
#include "layout.h"
#include <string.h>

#define FDT_MAGIC      0xd00dfeedU
#define FDT_MAX_SIZE   0x100000U /* a larger tree is taken for garbage */
#define FDT_MAX_DEPTH  16
#define FDT_BEGIN_NODE 1U
#define FDT_END_NODE   2U
#define FDT_PROPERTY   3U
#define FDT_NOP	       4U

struct board board = {
	.ram = 16UL << 20,
	.harts = 1,
	.ticks_per_second = 10000000,
	.isa = "unknown",
};

/* Words of the header, in order. */
enum { HEADER_MAGIC, HEADER_SIZE, HEADER_STRUCT, HEADER_STRINGS };

/* A reader in the tree: `at` is the offset of the next word; `names` the offset of the property names. */
struct reader {
	const uint8_t *tree;
	uint32_t size, at, names;
	bool broken;
};

struct property {
	const char *name;
	const uint8_t *value;
	uint32_t len;
};

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool fits(const struct reader *r, uint32_t offset, uint32_t len)
{
	return len <= r->size && offset <= r->size - len;
}

/* The next word; 0, which is no token, when the stream ends early. */
static uint32_t read_word(struct reader *r)
{
	if (!fits(r, r->at, 4)) {
		r->broken = true;
		return 0;
	}
	r->at += 4;
	return big_endian(r->tree + r->at - 4);
}

/* Bytes in the stream, padded to a whole word. */
static const uint8_t *read_bytes(struct reader *r, uint32_t len)
{
	uint32_t start = r->at;

	if (!fits(r, start, len)) {
		r->broken = true;
		return NULL;
	}
	r->at = start + ((len + 3) & ~3U);
	return r->tree + start;
}

/* A string that ends inside the tree, or "". */
static const char *string_at(struct reader *r, uint32_t offset)
{
	if (offset >= r->size || !memchr(r->tree + offset, 0, r->size - offset)) {
		r->broken = true;
		return "";
	}
	return (const char *)r->tree + offset;
}

static struct property read_property(struct reader *r)
{
	struct property p = {.len = read_word(r)};
	uint32_t name = read_word(r);

	p.name = name <= UINT32_MAX - r->names ? string_at(r, r->names + name) : "";
	p.value = read_bytes(r, p.len);
	return p;
}

static bool is_string(const struct property *p)
{
	return p->len > 0 && p->value[p->len - 1] == '\0';
}

/* Is `name` this node, whatever its unit address? */
static bool node_is(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(name, wanted, len) == 0 && (name[len] == '\0' || name[len] == '@');
}

/* Memory is { address, size }, each of as many words as the root says. The part that holds RAM_BASE counts. */
static void read_memory(const struct property *reg, const uint32_t cells[2])
{
	uint32_t entry = 4 * (cells[0] + cells[1]);

	for (uint32_t at = 0; entry <= reg->len && at <= reg->len - entry; at += entry) {
		uint64_t value[2] = {0, 0};
		const uint8_t *word = reg->value + at;

		for (int i = 0; i < 2; i++) {
			for (uint32_t n = 0; n < cells[i]; n++, word += 4)
				value[i] = value[i] << 32 | big_endian(word);
		}
		if (value[0] == RAM_BASE && value[1] > 0)
			board.ram = value[1] < RAM_MAX ? (unsigned long)value[1] : RAM_MAX;
	}
}

static void read_cpu_property(const struct property *p)
{
	if (strcmp(p->name, "riscv,isa") == 0 && board.harts == 1 && is_string(p))
		strlcpy(board.isa, (const char *)p->value, sizeof(board.isa));
}

/* A property of the node whose path is names[1] ... names[depth]; names[0] is not used, names[1] is the root. */
static void take_property(const struct property *p, const char *const *names, int depth, uint32_t cells[2])
{
	if (depth == 1 && p->len == 4 && strcmp(p->name, "#address-cells") == 0)
		cells[0] = big_endian(p->value) & 3;
	else if (depth == 1 && p->len == 4 && strcmp(p->name, "#size-cells") == 0)
		cells[1] = big_endian(p->value) & 3;
	else if (depth == 2 && node_is(names[2], "memory") && strcmp(p->name, "reg") == 0)
		read_memory(p, cells);
	else if (depth == 2 && node_is(names[2], "chosen") && strcmp(p->name, "bootargs") == 0 && is_string(p))
		board.plain = strstr((const char *)p->value, "plain") != NULL;
	else if (depth == 2 && node_is(names[2], "cpus") && p->len == 4 && strcmp(p->name, "timebase-frequency") == 0)
		board.ticks_per_second = big_endian(p->value) ? big_endian(p->value) : board.ticks_per_second;
	else if (depth == 3 && node_is(names[2], "cpus") && node_is(names[3], "cpu"))
		read_cpu_property(p);
}

static void read_nodes(struct reader *r)
{
	const char *names[FDT_MAX_DEPTH + 1] = {0};
	uint32_t cells[2] = {2, 1};
	unsigned harts = 0;
	int depth = 0;

	do {
		struct property property;

		switch (read_word(r)) {
		case FDT_BEGIN_NODE:
			if (++depth > FDT_MAX_DEPTH)
				return;
			names[depth] = string_at(r, r->at);
			read_bytes(r, (uint32_t)strlen(names[depth]) + 1);
			if (depth == 3 && node_is(names[2], "cpus") && node_is(names[3], "cpu"))
				board.harts = ++harts;
			break;
		case FDT_PROPERTY:
			property = read_property(r);
			if (!r->broken && depth > 0)
				take_property(&property, names, depth, cells);
			break;
		case FDT_END_NODE:
			depth--;
			break;
		case FDT_NOP:
			break;
		default:
			return;
		}
	} while (depth > 0 && !r->broken);
	board.described = depth == 0 && !r->broken;
}

void board_read(const void *tree)
{
	const uint8_t *words = tree;
	struct reader r = {.tree = tree, .size = 16};

	if ((uintptr_t)tree < RAM_BASE || (uintptr_t)tree % 4 != 0 || read_word(&r) != FDT_MAGIC)
		return;
	r.size = big_endian(words + 4 * HEADER_SIZE);
	r.at = big_endian(words + 4 * HEADER_STRUCT);
	r.names = big_endian(words + 4 * HEADER_STRINGS);
	if (r.size > FDT_MAX_SIZE || r.at % 4 != 0)
		return;
	read_nodes(&r);
}
