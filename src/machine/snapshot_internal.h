/*
 * The format of snapshots. A file is the magic text, a version (32 bits) and one zstd frame with a checksum; in it,
 * records: tag, length of the name (32 bits each), length of the data (64 bits), name, data. Numbers are little-endian.
 * Records about one thing come in the order below; unknown tags are refused.
 */
#ifndef BISCUIT_SNAPSHOT_INTERNAL_H
#define BISCUIT_SNAPSHOT_INTERNAL_H

#include <biscuit/field.h>
#include <biscuit/snapshot.h>

#define SNAPSHOT_MAGIC	    "BISCUIT SNAPSHOT\n"
#define SNAPSHOT_MAGIC_SIZE (sizeof(SNAPSHOT_MAGIC) - 1)

enum snapshot_tag {
	SNAPSHOT_MACHINE = 1, /* struct snapshot_machine, then the isa text and the note, each with its NUL */
	SNAPSHOT_MODULE,      /* name: the instance; data: class, version (one byte), specification, texts with NUL */
	SNAPSHOT_BEGIN,	      /* what follows is state; no data */
	SNAPSHOT_HART,	      /* name: its number; data: fields */
	SNAPSHOT_FIELDS,      /* name: the instance; data: fields */
	SNAPSHOT_TIMERS,  /* name: the instance; data: when each of its timers is due (64 bits), in order of creation */
	SNAPSHOT_OWN,	  /* name: the instance; data: what its save() wrote */
	SNAPSHOT_CHARDEV, /* name: the device; data: input queue, output queue, each with its length (32 bits) before */
	SNAPSHOT_RAM,	  /* data: physical address (64 bits), then pages */
	SNAPSHOT_END,
	SNAPSHOT_TAGS
};

struct snapshot_machine {
	uint64_t ram_size, now; /* machine time, ns */
	uint32_t harts, clock;
};

/* A field: length of its name (8 bits), type (8), count (32), name, then its bytes as they lie in the instance. */
struct snapshot_record {
	uint32_t tag, name_len;
	uint64_t len;
};

#define SNAPSHOT_NAME_MAX 255
#define SNAPSHOT_DATA_MAX (UINT64_C(64) << 20) /* of a record that is not RAM */
#define SNAPSHOT_RAM_RUN  (UINT64_C(1) << 20)  /* bytes of a RAM record at most */

/* The field table of harts, and what has to be computed anew after its fields were set. src/cpu/hart_fields.c */
struct bis_hart;
extern const struct bis_field bis_hart_fields[];
void bis_hart_restored(struct bis_hart *h);

#endif
