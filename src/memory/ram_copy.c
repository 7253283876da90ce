/*
 * The only place that moves bytes between guest RAM and host memory. Guest RAM changes under our hands (harts, other
 * processes with the memfd), so short copies go word by word through relaxed atomics; long ones are memcpy. Under
 * ThreadSanitizer every copy goes through atomics, and the kernel's copies bypass its interceptors, since a race with
 * the guest is the guest's business. Any thread; owns nothing.
 */
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/memory/memory_internal.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

#define WORDWISE_MAX 64 /* longest copy that is guaranteed word by word */

/* The widest naturally aligned word at `at` that fits in len: 8, 4, 2 or 1. */
static size_t word_at(const uint8_t *at, size_t len)
{
	for (size_t size = 8; size > 1; size /= 2) {
		if (len >= size && (uintptr_t)at % size == 0)
			return size;
	}
	return 1;
}

static void load_word(uint8_t *dst, const uint8_t *host, size_t size)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (size) {
	case 8:
		u64 = __atomic_load_n((const uint64_t *)(const void *)host, __ATOMIC_RELAXED);
		memcpy(dst, &u64, sizeof(u64));
		break;
	case 4:
		u32 = __atomic_load_n((const uint32_t *)(const void *)host, __ATOMIC_RELAXED);
		memcpy(dst, &u32, sizeof(u32));
		break;
	case 2:
		u16 = __atomic_load_n((const uint16_t *)(const void *)host, __ATOMIC_RELAXED);
		memcpy(dst, &u16, sizeof(u16));
		break;
	default:
		*dst = __atomic_load_n(host, __ATOMIC_RELAXED);
	}
}

static void store_word(uint8_t *host, const uint8_t *src, size_t size)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (size) {
	case 8:
		memcpy(&u64, src, sizeof(u64));
		__atomic_store_n((uint64_t *)(void *)host, u64, __ATOMIC_RELAXED);
		break;
	case 4:
		memcpy(&u32, src, sizeof(u32));
		__atomic_store_n((uint32_t *)(void *)host, u32, __ATOMIC_RELAXED);
		break;
	case 2:
		memcpy(&u16, src, sizeof(u16));
		__atomic_store_n((uint16_t *)(void *)host, u16, __ATOMIC_RELAXED);
		break;
	default:
		__atomic_store_n(host, *src, __ATOMIC_RELAXED);
	}
}

void bis_ram_copy_out(void *dst, const uint8_t *host, size_t len)
{
	uint8_t *to = dst;

	if (!THREAD_SANITIZER && len > WORDWISE_MAX) {
		memcpy(dst, host, len);
		return;
	}
	for (size_t size; len > 0; to += size, host += size, len -= size) {
		size = word_at(host, len);
		load_word(to, host, size);
	}
}

void bis_ram_copy_in(uint8_t *host, const void *src, size_t len)
{
	const uint8_t *from = src;

	if (!THREAD_SANITIZER && len > WORDWISE_MAX) {
		memcpy(host, src, len);
		return;
	}
	for (size_t size; len > 0; from += size, host += size, len -= size) {
		size = word_at(host, len);
		store_word(host, from, size);
	}
}

void bis_ram_fill(uint8_t *host, uint8_t byte, size_t len)
{
	uint8_t word[8];

	if (!THREAD_SANITIZER && len > WORDWISE_MAX) {
		memset(host, byte, len);
		return;
	}
	memset(word, byte, sizeof(word));
	for (size_t size; len > 0; host += size, len -= size) {
		size = word_at(host, len);
		store_word(host, word, size);
	}
}

ssize_t bis_ram_move(int fd, const struct iovec *iov, int count, off_t offset, bool in, int flags)
{
#if THREAD_SANITIZER
	/* The system call itself: guests race on purpose with the bytes it moves. */
	return syscall(in ? SYS_preadv2 : SYS_pwritev2, fd, iov, (long)count, (long)offset, 0L, (long)flags);
#else
	return in ? preadv2(fd, iov, count, offset, flags) : pwritev2(fd, iov, count, offset, flags);
#endif
}
