/* The machine as a picture: page tables and memory that are looked at, when there is news, and what is drawn. */
#include <biscuit/memory.h>

#include "frontend/window/machine_view_internal.h"
#include "tests/unit/view_rig.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, TEXT = R | X | U, DATA = R | W };

#define TABLES (BIS_RAM_BASE + 0x100000)

static int setup_harts(void **state, unsigned harts)
{
	struct view_rig *r = calloc(1, sizeof(*r));

	*state = r;
	if (view_rig_begin(r, harts, 1000, 700))
		assert_int_equal(machine_view(&r->host, &r->view), 0);
	return 0;
}

static int setup(void **state)
{
	return setup_harts(state, 1);
}

static int setup_eight(void **state)
{
	return setup_harts(state, 8);
}

static int teardown(void **state)
{
	view_rig_end(*state);
	free(*state);
	return 0;
}

/* --- Page tables --- */

static void put_pte(struct view_rig *r, unsigned table, unsigned index, uint64_t pa, unsigned bits)
{
	uint64_t pte = pa >> BIS_PAGE_SHIFT << 10 | bits;
	uint8_t raw[8];

	for (unsigned i = 0; i < 8; i++)
		raw[i] = (uint8_t)(pte >> 8 * i);
	assert_int_equal(bis_mem_write(bis_machine_memory(r->machine),
				       (bis_gpa){TABLES + table * BIS_PAGE_SIZE + index * 8}, raw, 8),
			 0);
}

static uint64_t table_at(unsigned table)
{
	return TABLES + table * BIS_PAGE_SIZE;
}

static const struct tables_sample *look(struct view_rig *r, unsigned xlen, uint64_t satp)
{
	static struct tables_sample out;

	tables_look(bis_machine_memory(r->machine), xlen, satp, &out);
	return &out;
}

static const uint64_t sv39 = UINT64_C(8) << 60 | TABLES >> BIS_PAGE_SHIFT;

static void pages_side_by_side_with_the_same_rights_are_one_run(void **state)
{
	struct view_rig *r = *state;
	const struct tables_sample *t;

	put_pte(r, 0, 0, table_at(1), V);
	put_pte(r, 1, 0, table_at(2), V);
	put_pte(r, 1, 1, table_at(3), V);
	put_pte(r, 2, 511, 0x80001000, V | TEXT);
	put_pte(r, 3, 0, 0x80007000, V | TEXT);
	put_pte(r, 3, 1, 0x80008000, V | DATA);
	put_pte(r, 3, 3, 0x80009000, V | DATA);
	t = look(r, 64, sv39);
	assert_string_equal(t->scheme, "sv39");
	assert_int_equal(t->root, TABLES);
	assert_int_equal(t->pages, 4);
	assert_int_equal(t->n_runs, 3);
	assert_int_equal(t->runs[0].va, 0x1ff000);
	assert_int_equal(t->runs[0].size, 0x2000);
	assert_int_equal(t->runs[0].rights, TEXT);
	assert_int_equal(t->runs[1].va, 0x201000);
	assert_int_equal(t->runs[2].va, 0x203000);
	assert_int_equal(t->runs[2].rights, DATA);
}

static void upper_addresses_are_sign_extended_and_large_pages_counted(void **state)
{
	struct view_rig *r = *state;
	const struct tables_sample *t;

	put_pte(r, 0, 510, 0x80000000, V | DATA);
	t = look(r, 64, sv39);
	assert_int_equal(t->n_runs, 1);
	assert_true(t->runs[0].va == UINT64_C(0xffffffff80000000));
	assert_int_equal(t->runs[0].size, 1 << 30);
	assert_int_equal(t->pages, 1 << 18);
}

static void sv32_has_its_own_form(void **state)
{
	struct view_rig *r = *state;
	const struct tables_sample *t;
	bis_gpa pte = {TABLES + 4 * 4};
	uint8_t raw[4] = {V | DATA, 0, 0, 0x20}; /* 0x80000000 */

	assert_int_equal(bis_mem_write(bis_machine_memory(r->machine), pte, raw, 4), 0);
	t = look(r, 32, UINT32_C(1) << 31 | TABLES >> BIS_PAGE_SHIFT);
	assert_string_equal(t->scheme, "sv32");
	assert_int_equal(t->n_runs, 1);
	assert_int_equal(t->runs[0].va, 4 << 22);
	assert_int_equal(t->runs[0].size, 4 << 20);
}

static void tables_that_lead_nowhere_or_in_a_circle_end(void **state)
{
	struct view_rig *r = *state;
	const struct tables_sample *t;

	assert_null(look(r, 64, 0)->scheme);
	assert_null(look(r, 64, UINT64_C(3) << 60)->scheme);
	assert_int_equal(look(r, 64, UINT64_C(8) << 60 | 0xfffffffffff)->n_runs, 0);
	for (unsigned i = 0; i < 512; i++)
		put_pte(r, 0, i, TABLES, V); /* each entry is the root again */
	t = look(r, 64, sv39);
	assert_int_equal(t->n_runs, 0);
	assert_true(t->more);
}

static void more_runs_than_are_kept_are_told_of(void **state)
{
	struct view_rig *r = *state;
	const struct tables_sample *t;

	for (unsigned i = 0; i < 512; i += 2) {
		put_pte(r, 0, i / 2, table_at(1), V);
		put_pte(r, 1, i, table_at(2), V);
		put_pte(r, 2, i, 0x80000000, V | DATA);
	}
	t = look(r, 64, sv39);
	assert_int_equal(t->n_runs, SAMPLE_RUNS);
	assert_true(t->more);
}

/* --- Memory --- */

static unsigned cell_of(const struct memory_sample *m, uint64_t address)
{
	return (unsigned)((address - m->regions[0].base) / m->cell_size) + m->regions[0].first;
}

static void what_was_written_is_hot_and_cools(void **state)
{
	struct view_rig *r = *state;
	struct bis_memory *memory = bis_machine_memory(r->machine);
	struct memory_watch *w = memory_watch_create(memory);
	uint64_t at = BIS_RAM_BASE + 0x300000;
	struct memory_sample m;

	assert_non_null(w);
	for (unsigned i = 0; i < SAMPLE_CELLS; i++)
		memory_watch_look(w, &m);
	assert_int_equal(m.cells[cell_of(&m, at)].heat, 0);
	assert_int_equal(m.cells[cell_of(&m, at)].filled, 0);
	assert_int_not_equal(m.cells[cell_of(&m, BIS_RAM_BASE)].filled, 0); /* the program */
	assert_int_equal(bis_mem_write(memory, (bis_gpa){at}, "x", 1), 0);
	memory_watch_look(w, &m);
	assert_int_equal(m.cells[cell_of(&m, at)].heat, 255);
	assert_int_equal(m.cells[cell_of(&m, at - m.cell_size)].heat, 0);
	for (unsigned i = 0; i < SAMPLE_CELLS; i++)
		memory_watch_look(w, &m);
	assert_int_equal(m.cells[cell_of(&m, at)].heat, 0);
	assert_int_not_equal(m.cells[cell_of(&m, at)].filled, 0);
	memory_watch_destroy(w);
}

/* --- News --- */

static void only_what_can_be_seen_is_news(void **state)
{
	static struct sample a, b;

	(void)state;
	a.n_harts = 1;
	a.ms = 100000;
	b = a;
	assert_false(sample_differs(&a, &b));
	b.ms += 100;
	b.uptime += 1000;
	assert_false(sample_differs(&a, &b));
	b.state = BIS_PAUSED;
	assert_true(sample_differs(&a, &b));
	b = a;
	b.harts[0].regs[5] = 1;
	assert_true(sample_differs(&a, &b));
	b = a;
	a.harts[0].changed_ms[3] = b.harts[0].changed_ms[3] = a.ms - 1; /* its colour still fades */
	assert_true(sample_differs(&a, &b));
}

/* Waits until the sampler has news, and takes it. */
static void wait_for_news(struct view_rig *r)
{
	int again;

	while (!view_rig_update(r, true, &again)) {
		pthread_mutex_lock(&r->lock);
		while (!r->wakes)
			pthread_cond_wait(&r->changed, &r->lock);
		r->wakes = 0;
		pthread_mutex_unlock(&r->lock);
	}
	assert_true(again > 0); /* it goes on asking while it is shown */
}

static struct view_rig *begin(void **state)
{
	struct view_rig *r = *state;

	if (!r->view.ops)
		skip();
	return r;
}

static void nobody_looks_at_what_is_not_shown(void **state)
{
	struct view_rig *r = begin(state);
	int again = 0;

	assert_false(view_rig_update(r, false, &again));
	assert_int_equal(again, -1);
	assert_int_equal(r->wakes, 0);
}

static void devices_and_registers_are_in_the_sample(void **state)
{
	struct view_rig *r = begin(state);
	const struct machine_view *v = r->view.self;
	bool uart = false;

	bis_hart_set_reg(bis_machine_hart(r->machine, 0), 10, 0x1234);
	wait_for_news(r);
	assert_int_equal(v->now.n_harts, 1);
	assert_int_equal(v->now.harts[0].regs[10], 0x1234);
	for (size_t i = 0; i < v->now.n_devices; i++)
		uart = uart || !strcmp(v->now.devices[i].name, "uart0");
	assert_true(uart);
}

static void clicks_pause_and_choose_a_hart(void **state)
{
	struct view_rig *r = begin(state);
	const struct machine_view *v = r->view.self;
	SDL_Rect run = {0}, third = {0};

	assert_int_equal(bis_machine_start(r->machine), 0);
	wait_for_news(r);
	view_rig_draw(r);
	for (unsigned i = 0; i < v->n_buttons; i++) {
		if (v->buttons[i].what == BUTTON_RUN)
			run = v->buttons[i].rect;
		if (v->buttons[i].what == BUTTON_HART + 2)
			third = v->buttons[i].rect;
	}
	view_rig_button(r, third.x + 1, third.y + 1, true, 1);
	assert_int_equal(v->hart, 2);
	view_rig_button(r, run.x + 1, run.y + 1, true, 1);
	while (v->now.state != BIS_PAUSED)
		wait_for_news(r);
	view_rig_key(r, SDLK_SPACE, KMOD_NONE);
	while (v->now.state != BIS_RUNNING)
		wait_for_news(r);
	assert_string_equal(r->told, "");
}

static void any_size_can_be_drawn(void **state)
{
	static const int sizes[][2] = {{1, 1}, {30, 700}, {1000, 30}, {200, 200}, {640, 480}, {1000, 700}};
	struct view_rig *r = begin(state);

	view_rig_draw(r); /* before there is a sample */
	wait_for_news(r);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(sizes); i++) {
		r->area.w = sizes[i][0];
		r->area.h = sizes[i][1];
		SDL_RenderSetClipRect(r->renderer, &r->area);
		SDL_FillRect(r->surface, NULL, 0);
		view_rig_draw(r);
		assert_int_equal(view_rig_pixel(r, 0, 0), COLOR_BACK);
		assert_int_equal(view_rig_pixel(r, r->area.w - 1, r->area.h - 1), COLOR_BACK);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_side_by_side_with_the_same_rights_are_one_run),
		TEST(upper_addresses_are_sign_extended_and_large_pages_counted),
		TEST(sv32_has_its_own_form),
		TEST(tables_that_lead_nowhere_or_in_a_circle_end),
		TEST(more_runs_than_are_kept_are_told_of),
		TEST(what_was_written_is_hot_and_cools),
		cmocka_unit_test(only_what_can_be_seen_is_news),
		TEST(nobody_looks_at_what_is_not_shown),
		TEST(devices_and_registers_are_in_the_sample),
		cmocka_unit_test_setup_teardown(clicks_pause_and_choose_a_hart, setup_eight, teardown),
		cmocka_unit_test_setup_teardown(any_size_can_be_drawn, setup_eight, teardown),
	};

	return cmocka_run_group_tests_name("machine view", tests, NULL, NULL);
}
