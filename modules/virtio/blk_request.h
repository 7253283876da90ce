/*
 * Requests of the virtio block device (virtio 1.2, section 5.2.6): what a chain asks for, and doing it on the disk. Any
 * thread, a request in one at a time; no lock of the module is taken. blk.c decides which thread does what.
 */
#ifndef BISCUIT_MODULES_BLK_REQUEST_H
#define BISCUIT_MODULES_BLK_REQUEST_H

#include "modules/backend/disk.h"
#include "modules/virtio/virtio.h"

#define BLK_SERIAL_SIZE 20

/* Bytes of a read or a write at most: what the length told to the driver can say. */
#define BLK_DATA_MAX UINT32_MAX

/* Limits of discards and write-zeroes, told to the driver. */
#define BLK_DISCARD_SECTORS (1u << 22)
#define BLK_ZERO_SECTORS    (1u << 16)
#define BLK_SEGMENTS	    16u

/* Section 5.2.3. */
enum blk_feature {
	BLK_FEATURE_SEG_MAX = 1 << 2,
	BLK_FEATURE_RO = 1 << 5,
	BLK_FEATURE_BLK_SIZE = 1 << 6,
	BLK_FEATURE_FLUSH = 1 << 9,
	BLK_FEATURE_TOPOLOGY = 1 << 10,
	BLK_FEATURE_CONFIG_WCE = 1 << 11,
	BLK_FEATURE_DISCARD = 1 << 13,
	BLK_FEATURE_WRITE_ZEROES = 1 << 14,
};

/* What requests work on; the device's. */
struct blk_store {
	struct virtio *virtio;
	struct bis_disk *disk;
	char serial[BLK_SERIAL_SIZE];
	const uint8_t *writeback; /* virtio_lock: 0 if writes are to be durable when they are done */
};

/* Little-endian in guest memory. */
struct blk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

/* A chain as a request. */
struct blk_request {
	struct virtio_chain chain;
	bool whole; /* it has a header */
	struct blk_header header;
	bis_gpa status;	   /* where the last writable byte is */
	uint64_t room;	   /* writable bytes in front of it */
	uint64_t answered; /* of them, written from the first on */
	/* The data: readable ranges behind the header for OUT, otherwise the writable ones but for the status. */
	uint64_t len;
	size_t count;
	struct bis_mem_range data[VIRTIO_QUEUE_SIZE];
};

/* Makes a request of the chain in it; false: there is no room for a status, and the device is broken. */
BIS_MUST_CHECK bool blk_request_parse(struct blk_request *r);
/* Will the request keep its thread waiting for the host's storage? */
bool blk_request_is_slow(struct blk_store *b, const struct blk_request *r);
/* Does what it asks for and gives the chain back; the driver hears of it at virtio_signal. */
void blk_request_carry_out(struct blk_store *b, struct blk_request *r);
/* The same if it is a read that takes no waiting; otherwise false, and it is still to be carried out. */
BIS_MUST_CHECK bool blk_request_read_cached(struct blk_store *b, struct blk_request *r);

#endif
