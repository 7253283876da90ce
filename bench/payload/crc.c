/* CRC-32 (polynomial 0xedb88320) of a buffer, by table and bit by bit, and CRC-16 (CCITT): shifts, masks, table loads.
 */
#include "../bench.h"

#define LENGTH 32768

const uint32_t bench_rounds = 190 * BENCH_SCALE;

static uint8_t buffer[LENGTH];
static uint32_t table[256];

static uint32_t crc32_bits(uint32_t crc, uint8_t byte)
{
	crc ^= byte;
	for (unsigned bit = 0; bit < 8; bit++)
		crc = (crc >> 1) ^ (UINT32_C(0xedb88320) & (0 - (crc & 1)));
	return crc;
}

static uint32_t crc32_by_table(uint32_t crc)
{
	for (uint32_t i = 0; i < LENGTH; i++)
		crc = (crc >> 8) ^ table[(crc ^ buffer[i]) & 0xff];
	return crc;
}

static uint32_t crc16(uint32_t crc)
{
	for (uint32_t i = 0; i < LENGTH; i++) {
		crc ^= (uint32_t)buffer[i] << 8;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
		crc &= 0xffff;
	}
	return crc;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 362436069;

	for (uint32_t i = 0; i < LENGTH; i++)
		buffer[i] = (uint8_t)bench_random(&seed);
	for (uint32_t round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < 256; i++)
			table[i] = crc32_bits(0, (uint8_t)i);
		for (unsigned pass = 0; pass < 4; pass++)
			checksum = crc32_by_table(checksum);
		for (uint32_t i = 0; i < LENGTH; i++)
			checksum = crc32_bits(checksum, buffer[i]);
		checksum = bench_mix(checksum, crc16(0xffff));
		buffer[round % LENGTH] ^= (uint8_t)checksum;
	}
	return checksum;
}
