/*
 * The bus: which windows can be, which accesses reach a device, and that an unmapped device is never called again.
 */
#include <stdlib.h>

#include "src/memory/bus_internal.h"
#include "tests/unit/unit.h"

#define RAM   0x80000000u
#define UART  0x10000000u
#define TIMER 0x2000000u

/* A device that remembers its last access and answers with a set value. */
struct probe {
	unsigned calls, size;
	uint64_t off, written, answer;
	enum bis_bus_result result;
	pthread_mutex_t *lock;
	bool was_locked;
};

static void note(struct probe *p, uint64_t off, unsigned size)
{
	p->calls++;
	p->off = off;
	p->size = size;
	p->was_locked = pthread_mutex_trylock(p->lock) == EBUSY;
}

static enum bis_bus_result probe_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct probe *p = self;

	note(p, off, size);
	*val = p->answer;
	return p->result;
}

static enum bis_bus_result probe_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct probe *p = self;

	note(p, off, size);
	p->written = val;
	return p->result;
}

static const struct bis_mmio_ops uart_ops = {0x100, 1, 4, probe_read, probe_write};
static const struct bis_mmio_ops timer_ops = {0x14, 4, 8, probe_read, probe_write}; /* not a multiple of 8 */

struct fixture {
	struct bis_memory *memory;
	pthread_mutex_t lock;
	struct bis_bus *bus;
	struct probe uart, timer;
};

static int make_bus(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	pthread_mutex_init(&f->lock, NULL);
	f->uart.lock = f->timer.lock = &f->lock;
	if (bis_memory_create(&f->memory) || bis_memory_add_ram(f->memory, "ram", (bis_gpa){RAM}, 0x10000) ||
	    bis_bus_create(f->memory, &f->lock, &f->bus))
		return -1;
	return bis_bus_map(f->bus, "uart", UART, &uart_ops, &f->uart) ||
	       bis_bus_map(f->bus, "timer", TIMER, &timer_ops, &f->timer);
}

static int free_bus(void **state)
{
	struct fixture *f = *state;

	bis_bus_destroy(f->bus);
	bis_memory_destroy(f->memory);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

static void a_device_sees_offset_width_and_value(void **state)
{
	struct fixture *f = *state;
	uint64_t val = 0;

	f->uart.answer = 0x1122334455667788;
	assert_int_equal(bis_bus_read(f->bus, UART + 5, 1, &val), BIS_BUS_OK);
	assert_int_equal(val, 0x88);
	assert_int_equal(f->uart.off, 5);
	assert_int_equal(f->uart.size, 1);
	assert_true(f->uart.was_locked);
	assert_int_equal(bis_bus_write(f->bus, UART + 0xfc, 4, UINT64_C(0x1ffffffff)), BIS_BUS_OK);
	assert_int_equal(f->uart.off, 0xfc);
	assert_int_equal(f->uart.written, 0xffffffff);
	assert_true(f->uart.was_locked);

	f->timer.answer = 0x1122334455667788;
	assert_int_equal(bis_bus_read(f->bus, TIMER + 8, 8, &val), BIS_BUS_OK);
	assert_int_equal(val, 0x1122334455667788);
	assert_int_equal(f->timer.off, 8);
	assert_int_equal(f->uart.calls, 2);
	assert_int_equal(f->timer.calls, 1);
}

static void bad_accesses_fault_without_reaching_a_device(void **state)
{
	static const struct {
		uint64_t pa;
		unsigned size;
	} cases[] = {
		{UART - 1, 1},
		{UART + 0x100, 1}, /* just below, just above */
		{UART + 1, 2},
		{UART + 2, 4}, /* misaligned */
		{UART, 8},     /* wider than it takes */
		{UART, 0},
		{UART, 3}, /* no such width */
		{UART, 16},
		{UART, 256}, /* no such width */
		{TIMER, 1},
		{TIMER, 2},	   /* narrower than it takes */
		{TIMER + 0x10, 8}, /* aligned, but straddles the end */
		{TIMER + 0x14, 4}, /* just above */
		{RAM, 4},	   /* RAM is not the bus's business */
		{0, 4},
		{UINT64_MAX, 1},
		{UINT64_MAX - 3, 4},
	};
	struct fixture *f = *state;
	uint64_t val = 0x5a5a;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		assert_int_equal(bis_bus_read(f->bus, cases[i].pa, cases[i].size, &val), BIS_BUS_FAULT);
		assert_int_equal(bis_bus_write(f->bus, cases[i].pa, cases[i].size, 1), BIS_BUS_FAULT);
	}
	assert_int_equal(val, 0x5a5a);
	assert_int_equal(f->uart.calls + f->timer.calls, 0);
}

static void a_fault_of_the_device_leaves_the_value_alone(void **state)
{
	static const struct bis_mmio_ops write_only = {4, 4, 4, NULL, probe_write};
	struct fixture *f = *state;
	uint64_t val = 0x5a5a;

	f->uart.result = BIS_BUS_FAULT;
	assert_int_equal(bis_bus_read(f->bus, UART, 4, &val), BIS_BUS_FAULT);
	assert_int_equal(bis_bus_write(f->bus, UART, 4, 1), BIS_BUS_FAULT);
	assert_int_equal(f->uart.calls, 2);
	assert_ok(bis_bus_map(f->bus, "finisher", 0x100000, &write_only, &f->timer));
	assert_int_equal(bis_bus_read(f->bus, 0x100000, 4, &val), BIS_BUS_FAULT);
	assert_int_equal(bis_bus_write(f->bus, 0x100000, 4, 7), BIS_BUS_OK);
	assert_int_equal(f->timer.written, 7);
	assert_int_equal(val, 0x5a5a);
}

static void impossible_windows_are_refused(void **state)
{
	static const struct {
		struct bis_mmio_ops ops;
		uint64_t base;
		int err;
		const char *words;
	} cases[] = {
		{{0, 1, 4, NULL, NULL}, 0x1000, -EINVAL, "window 'new' has 0x0 bytes"},
		{{6, 1, 4, NULL, NULL}, 0x1000, -EINVAL, "expected a multiple of 4"},
		{{8, 0, 4, NULL, NULL}, 0x1000, -EINVAL, "accesses of 0 to 4 bytes"},
		{{8, 1, 3, NULL, NULL}, 0x1000, -EINVAL, "powers of two"},
		{{8, 1, 16, NULL, NULL}, 0x1000, -EINVAL, "powers of two"},
		{{8, 4, 2, NULL, NULL}, 0x1000, -EINVAL, "powers of two"},
		{{8, 1, 1, NULL, NULL}, 0x1002, -EINVAL, "not aligned to 4 bytes"},
		{{8, 1, 8, NULL, NULL}, 0x1004, -EINVAL, "not aligned to 8 bytes"},
		{{8, 1, 4, NULL, NULL}, UINT64_MAX - 3, -EINVAL, "goes beyond 2^64"},
		{{UINT64_MAX - 3, 1, 4, NULL, NULL}, 0x1000, -EINVAL, "goes beyond 2^64"},
		{{4, 1, 4, NULL, NULL}, UART, -EEXIST, "'new' at 0x10000000 with 0x4 bytes overlaps 'uart'"},
		{{4, 1, 4, NULL, NULL}, UART + 0xfc, -EEXIST, "overlaps 'uart' at 0x10000000"},
		{{8, 1, 4, NULL, NULL}, UART - 4, -EEXIST, "overlaps 'uart'"},
		{{UART, 1, 4, NULL, NULL}, 0x1000, -EEXIST, "overlaps 'timer'"},
		{{4, 1, 4, NULL, NULL}, RAM + 0xfffc, -EEXIST, "overlaps 'ram' at 0x80000000 with 0x10000 bytes"},
		{{8, 1, 4, NULL, NULL}, RAM - 4, -EEXIST, "overlaps 'ram'"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++)
		assert_fails(bis_bus_map(f->bus, "new", cases[i].base, &cases[i].ops, NULL), cases[i].err,
			     cases[i].words);
	assert_int_equal(bis_bus_window_count(f->bus), 2);
}

static void windows_may_touch(void **state)
{
	struct fixture *f = *state;
	struct probe next = {.lock = &f->lock};
	uint64_t val;

	assert_ok(bis_bus_map(f->bus, "next", UART + 0x100, &uart_ops, &next));
	assert_ok(bis_bus_map(f->bus, "before ram", RAM - 0x100, &uart_ops, &next));
	assert_int_equal(bis_bus_read(f->bus, UART + 0xff, 1, &val), BIS_BUS_OK);
	assert_int_equal(next.calls, 0);
	assert_int_equal(bis_bus_read(f->bus, UART + 0x100, 1, &val), BIS_BUS_OK);
	assert_int_equal(next.off, 0);
	assert_int_equal(next.calls, 1);
	assert_int_equal(bis_bus_read(f->bus, UART + 0xfe, 4, &val), BIS_BUS_FAULT);
}

static void an_unmapped_device_is_never_called(void **state)
{
	struct fixture *f = *state;
	uint64_t val;

	assert_int_equal(bis_bus_read(f->bus, UART, 1, &val), BIS_BUS_OK);
	assert_ok(bis_bus_unmap(f->bus, UART));
	assert_int_equal(bis_bus_read(f->bus, UART, 1, &val), BIS_BUS_FAULT);
	assert_int_equal(f->uart.calls, 1);
	assert_fails(bis_bus_unmap(f->bus, UART), -ENOENT, "no window at 0x10000000");
	assert_fails(bis_bus_unmap(f->bus, TIMER + 4), -ENOENT, "no window");
	assert_int_equal(bis_bus_read(f->bus, TIMER, 4, &val), BIS_BUS_OK);
	assert_ok(bis_bus_map(f->bus, "again", UART, &uart_ops, &f->uart));
	assert_int_equal(bis_bus_read(f->bus, UART, 1, &val), BIS_BUS_OK);
}

static void windows_are_listed_in_address_order(void **state)
{
	struct fixture *f = *state;
	struct bis_bus_window w;

	assert_int_equal(bis_bus_window_count(f->bus), 2);
	assert_ok(bis_bus_window(f->bus, 0, &w));
	assert_string_equal(w.name, "timer");
	assert_int_equal(w.base, TIMER);
	assert_ok(bis_bus_window(f->bus, 1, &w));
	assert_string_equal(w.name, "uart");
	assert_int_equal(w.ops->size, 0x100);
	assert_ptr_equal(w.self, &f->uart);
	assert_fails(bis_bus_window(f->bus, 2, &w), -ENOENT, "no window 2");
}

static void every_window_of_many_is_found(void **state)
{
	struct fixture *f = *state;
	struct probe probes[100];
	uint64_t val;

	for (unsigned i = 0; i < 100; i++) {
		unsigned n = i * 37 % 100;

		probes[n] = (struct probe){.answer = n, .lock = &f->lock};
		assert_ok(bis_bus_map(f->bus, "many", 0x20000000 + n * 0x1000u, &uart_ops, &probes[n]));
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(bis_bus_read(f->bus, 0x20000000 + i * 0x1000u + 0xff, 1, &val), BIS_BUS_OK);
		assert_int_equal(val, i);
		assert_int_equal(bis_bus_read(f->bus, 0x20000000 + i * 0x1000u + 0x100, 1, &val), BIS_BUS_FAULT);
	}
}

/* A device whose state is freed once it is unmapped, read by another thread all the while. */
static void *read_until_gone(void *arg)
{
	struct fixture *f = arg;
	uint64_t val;
	long reads = 0;

	while (bis_bus_read(f->bus, 0x3000000, 4, &val) == BIS_BUS_OK)
		reads++;
	return (void *)reads;
}

static void unmapping_waits_for_accesses_under_way(void **state)
{
	struct fixture *f = *state;

	for (int turn = 0; turn < 50; turn++) {
		struct probe *p = calloc(1, sizeof(*p));
		pthread_t thread;

		p->lock = &f->lock;
		assert_ok(bis_bus_map(f->bus, "passing", 0x3000000, &uart_ops, p));
		assert_int_equal(pthread_create(&thread, NULL, read_until_gone, f), 0);
		if (turn % 2)
			assert_int_equal(bis_bus_write(f->bus, 0x3000000, 4, 1), BIS_BUS_OK);
		assert_ok(bis_bus_unmap(f->bus, 0x3000000));
		free(p);
		pthread_join(thread, NULL);
	}
}

#define BUS_TEST(f) cmocka_unit_test_setup_teardown(f, make_bus, free_bus)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUS_TEST(a_device_sees_offset_width_and_value),
		BUS_TEST(bad_accesses_fault_without_reaching_a_device),
		BUS_TEST(a_fault_of_the_device_leaves_the_value_alone),
		BUS_TEST(impossible_windows_are_refused),
		BUS_TEST(windows_may_touch),
		BUS_TEST(an_unmapped_device_is_never_called),
		BUS_TEST(windows_are_listed_in_address_order),
		BUS_TEST(every_window_of_many_is_found),
		BUS_TEST(unmapping_waits_for_accesses_under_way),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
