/*
 * Basic types shared by every public header: guest-physical addresses, attributes, little-endian values.
 */
#ifndef BISCUIT_TYPES_H
#define BISCUIT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIS_MUST_CHECK	      __attribute__((warn_unused_result))
#define BIS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define BIS_ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))

/* A guest-physical address. A type of its own, so that it cannot be mixed with host sizes or guest-virtual addresses.
 */
typedef struct {
	uint64_t v;
} bis_gpa;

/* Little-endian values as they lie in guest memory or in files; converted with the functions below. */
typedef struct {
	uint8_t b[2];
} bis_le16;
typedef struct {
	uint8_t b[4];
} bis_le32;
typedef struct {
	uint8_t b[8];
} bis_le64;

static inline uint16_t bis_le16_get(bis_le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t bis_le32_get(bis_le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 | (uint32_t)v.b[3] << 24;
}

static inline uint64_t bis_le64_get(bis_le64 v)
{
	uint64_t out = 0;

	for (int i = 7; i >= 0; i--)
		out = out << 8 | v.b[i];
	return out;
}

static inline bis_le16 bis_le16_make(uint16_t v)
{
	bis_le16 out;

	for (int i = 0; i < 2; i++)
		out.b[i] = (uint8_t)(v >> (8 * i));
	return out;
}

static inline bis_le32 bis_le32_make(uint32_t v)
{
	bis_le32 out;

	for (int i = 0; i < 4; i++)
		out.b[i] = (uint8_t)(v >> (8 * i));
	return out;
}

static inline bis_le64 bis_le64_make(uint64_t v)
{
	bis_le64 out;

	for (int i = 0; i < 8; i++)
		out.b[i] = (uint8_t)(v >> (8 * i));
	return out;
}

#ifdef __cplusplus
}
#endif
#endif
