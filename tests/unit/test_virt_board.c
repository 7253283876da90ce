/* The board's places for virtio devices: the lowest free one is taken, the rest is filled with places of no device. */
#include <biscuit/builtin.h>

#include "tests/unit/virtio_rig.h"

#define PLACES 8u

static struct bis_machine *create_board(void)
{
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);

	assert_ok(bis_board_virt(m));
	return m;
}

static uint64_t place_of(const struct bis_module *mod)
{
	uint64_t base = 0, size = 0;

	assert_ok(bis_module_window(mod, 0, &base, &size));
	return base;
}

static uint32_t read_at(struct bis_machine *m, unsigned place, unsigned off)
{
	uint64_t value = 0;

	assert_int_equal(bis_bus_read(m->bus, VRIG_WINDOW + place * 0x1000 + off, 4, &value), BIS_BUS_OK);
	return (uint32_t)value;
}

static void devices_take_the_lowest_free_place(void **state)
{
	struct bis_machine *m = create_board();
	struct bis_module *mod = NULL, *first = NULL;

	(void)state;
	for (unsigned n = 0; n < PLACES; n++) {
		assert_ok(bis_board_virtio(m, "virtio-rng", &mod));
		assert_int_equal(place_of(mod), 0x10001000 + n * 0x1000);
		assert_int_equal(bis_module_irq_input(mod, 0), 1 + n);
		if (n == 0)
			first = mod;
	}
	assert_fails(bis_board_virtio(m, "virtio-rng", &mod), -ENOSPC, "virtio-rng");
	assert_ok(bis_machine_remove(m, first));
	assert_ok(bis_board_virtio(m, "virtio-rng,name=again", &mod));
	assert_int_equal(place_of(mod), 0x10001000);
	assert_string_equal(bis_module_name(mod), "again");
	bis_machine_destroy(m);
}

static void places_and_lines_of_others_are_left_alone(void **state)
{
	struct bis_machine *m = create_board();
	struct bis_module *mod = NULL;

	(void)state;
	rig_add(m, "virtio-rng,at=0x10001000,irq=20"); /* the window of place 0 */
	rig_add(m, "virtio-rng,at=0x20000000,irq=2");  /* the line of place 1 */
	rig_add(m, "virtio-none,at=0x10003100");       /* part of the window of place 2 */
	assert_ok(bis_board_virtio(m, "virtio-rng", &mod));
	assert_int_equal(place_of(mod), 0x10004000);
	assert_ok(bis_board_virtio_done(m));
	assert_int_equal(read_at(m, 0, VRIG_DEVICE_ID), 4);
	assert_int_equal(read_at(m, 1, VRIG_DEVICE_ID), 0);
	assert_int_equal(read_at(m, 3, VRIG_DEVICE_ID), 4);
	bis_machine_destroy(m);
}

static void errors_of_the_device_are_passed_on(void **state)
{
	struct bis_machine *m = create_board();
	struct bis_module *mod = NULL;

	(void)state;
	assert_fails(bis_board_virtio(m, "virtio-rgn", &mod), -ENOENT, "virtio-rng");
	assert_fails(bis_board_virtio(m, "virtio-rng,color=red", &mod), -EINVAL, "color");
	assert_ok(bis_board_virtio(m, "virtio-rng", &mod));
	assert_int_equal(place_of(mod), 0x10001000);
	bis_machine_destroy(m);
}

static void free_places_read_as_no_device(void **state)
{
	struct bis_machine *m = create_board();
	struct bis_module *mod = NULL;
	uint64_t value;

	(void)state;
	assert_ok(bis_board_virtio(m, "virtio-rng", &mod));
	assert_ok(bis_board_virtio_done(m));
	assert_int_equal(read_at(m, 0, VRIG_DEVICE_ID), 4);
	for (unsigned n = 1; n < PLACES; n++) {
		assert_int_equal(read_at(m, n, VRIG_MAGIC), 0x74726976);
		assert_int_equal(read_at(m, n, VRIG_VERSION), 2);
		for (unsigned off = VRIG_DEVICE_ID; off < 0x200; off += 4) {
			uint64_t at = VRIG_WINDOW + n * 0x1000 + off;

			assert_int_equal(read_at(m, n, off), 0);
			assert_int_equal(bis_bus_write(m->bus, at, 4, UINT32_MAX), BIS_BUS_OK);
		}
		assert_int_equal(read_at(m, n, VRIG_STATUS), 0);
	}
	assert_int_equal(bis_bus_read(m->bus, VRIG_WINDOW + PLACES * 0x1000, 4, &value), BIS_BUS_FAULT);
	/* Nothing is left to fill. */
	assert_ok(bis_board_virtio_done(m));
	assert_fails(bis_board_virtio(m, "virtio-rng", &mod), -ENOSPC, "virtio-rng");
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_take_the_lowest_free_place),
		cmocka_unit_test(places_and_lines_of_others_are_left_alone),
		cmocka_unit_test(errors_of_the_device_are_passed_on),
		cmocka_unit_test(free_places_read_as_no_device),
	};

	return cmocka_run_group_tests_name("virt-board", tests, NULL, NULL);
}
