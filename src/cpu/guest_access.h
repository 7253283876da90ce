/*
 * Loads and stores of guest memory by a hart: any alignment, little-endian, single-copy atomic where naturally aligned.
 * Guests race on purpose; under sanitizers the accesses are spelled as atomics or bytes, so that only host mistakes are
 * reported.
 */
#ifndef BISCUIT_CPU_GUEST_ACCESS_H
#define BISCUIT_CPU_GUEST_ACCESS_H

#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define BIS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define BIS_SANITIZED 1
#endif
#endif

#ifdef BIS_SANITIZED

static inline uint64_t guest_load_bytes(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)__atomic_load_n(p + i, __ATOMIC_RELAXED) << (8 * i);
	return v;
}

static inline void guest_store_bytes(uint8_t *p, unsigned size, uint64_t v)
{
	for (unsigned i = 0; i < size; i++)
		__atomic_store_n(p + i, (uint8_t)(v >> (8 * i)), __ATOMIC_RELAXED);
}

#define GUEST_LOAD(p, type)                                                                                            \
	((uintptr_t)(p) % sizeof(type) ? (type)guest_load_bytes((p), sizeof(type))                                     \
				       : __atomic_load_n((const type *)(const void *)(p), __ATOMIC_RELAXED))

#else

/* A plain access through a volatile packed member: one host instruction of that width at any alignment. */
struct guest_u16 {
	uint16_t v;
} __attribute__((packed, may_alias));
struct guest_u32 {
	uint32_t v;
} __attribute__((packed, may_alias));
struct guest_u64 {
	uint64_t v;
} __attribute__((packed, may_alias));

#endif

/* Orders all earlier accesses before all later ones. ThreadSanitizer knows no fences: there it is a locked operation.
 */
static inline void guest_fence(void)
{
#ifdef BIS_SANITIZED
	uint32_t word = 0;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* The same, but that later loads may come before earlier stores. */
static inline void guest_fence_order(void)
{
#ifdef BIS_SANITIZED
	guest_fence();
#else
	__atomic_thread_fence(__ATOMIC_ACQ_REL);
#endif
}

static inline uint8_t guest_load8(const uint8_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void guest_store8(uint8_t *p, uint8_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

#ifdef BIS_SANITIZED

static inline uint16_t guest_load16(const uint8_t *p)
{
	return GUEST_LOAD(p, uint16_t);
}

static inline uint32_t guest_load32(const uint8_t *p)
{
	return GUEST_LOAD(p, uint32_t);
}

static inline uint64_t guest_load64(const uint8_t *p)
{
	return GUEST_LOAD(p, uint64_t);
}

static inline void guest_store16(uint8_t *p, uint16_t v)
{
	if ((uintptr_t)p % sizeof(v))
		guest_store_bytes(p, sizeof(v), v);
	else
		__atomic_store_n((uint16_t *)(void *)p, v, __ATOMIC_RELAXED);
}

static inline void guest_store32(uint8_t *p, uint32_t v)
{
	if ((uintptr_t)p % sizeof(v))
		guest_store_bytes(p, sizeof(v), v);
	else
		__atomic_store_n((uint32_t *)(void *)p, v, __ATOMIC_RELAXED);
}

static inline void guest_store64(uint8_t *p, uint64_t v)
{
	if ((uintptr_t)p % sizeof(v))
		guest_store_bytes(p, sizeof(v), v);
	else
		__atomic_store_n((uint64_t *)(void *)p, v, __ATOMIC_RELAXED);
}

#else

static inline uint16_t guest_load16(const uint8_t *p)
{
	return ((const volatile struct guest_u16 *)(const void *)p)->v;
}

static inline uint32_t guest_load32(const uint8_t *p)
{
	return ((const volatile struct guest_u32 *)(const void *)p)->v;
}

static inline uint64_t guest_load64(const uint8_t *p)
{
	return ((const volatile struct guest_u64 *)(const void *)p)->v;
}

static inline void guest_store16(uint8_t *p, uint16_t v)
{
	((volatile struct guest_u16 *)(void *)p)->v = v;
}

static inline void guest_store32(uint8_t *p, uint32_t v)
{
	((volatile struct guest_u32 *)(void *)p)->v = v;
}

static inline void guest_store64(uint8_t *p, uint64_t v)
{
	((volatile struct guest_u64 *)(void *)p)->v = v;
}

#endif

static inline uint64_t guest_load(const uint8_t *p, unsigned size)
{
	switch (size) {
	case 1:
		return guest_load8(p);
	case 2:
		return guest_load16(p);
	case 4:
		return guest_load32(p);
	default:
		return guest_load64(p);
	}
}

static inline void guest_store(uint8_t *p, unsigned size, uint64_t v)
{
	switch (size) {
	case 1:
		guest_store8(p, (uint8_t)v);
		break;
	case 2:
		guest_store16(p, (uint16_t)v);
		break;
	case 4:
		guest_store32(p, (uint32_t)v);
		break;
	default:
		guest_store64(p, v);
	}
}

#endif
