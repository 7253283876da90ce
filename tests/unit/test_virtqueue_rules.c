/* Split virtqueues: every rule whose breach puts the device into NEEDS_RESET. */
#include "tests/unit/virtio_fake.h"

#define QUEUE 16u /* entries */

/* --- Breaches; the device looks at its queue after each --- */

static void index_runs_ahead(struct vrig *r)
{
	vrig_put16(r, r->q[0].avail + 2, QUEUE + 1);
}

static void index_runs_back(struct vrig *r)
{
	vrig_put16(r, r->q[0].avail + 2, UINT16_MAX);
}

static void head_out_of_range(struct vrig *r)
{
	vrig_make_available(r, 0, QUEUE);
}

static void next_out_of_range(struct vrig *r)
{
	vrig_set_desc(r, 0, 0, RIG_DATA, 8, VRIG_NEXT, QUEUE);
	vrig_make_available(r, 0, 0);
}

static void next_out_of_range_of_table(struct vrig *r)
{
	uint64_t table = vrig_alloc(r, 64);

	vrig_set_desc_at(r, table, 0, RIG_DATA, 8, VRIG_NEXT, 2);
	vrig_set_desc(r, 0, 0, table, 32, VRIG_INDIRECT, 0);
	vrig_make_available(r, 0, 0);
}

static void chain_is_a_loop(struct vrig *r)
{
	vrig_set_desc(r, 0, 0, RIG_DATA, 8, VRIG_NEXT, 1);
	vrig_set_desc(r, 0, 1, RIG_DATA, 8, VRIG_NEXT, 0);
	vrig_make_available(r, 0, 0);
}

static void chain_is_a_loop_of_nothing(struct vrig *r)
{
	vrig_set_desc(r, 0, 5, RIG_DATA, 0, VRIG_NEXT, 5);
	vrig_make_available(r, 0, 5);
}

static void table_is_a_loop(struct vrig *r)
{
	uint64_t table = vrig_alloc(r, 64);

	vrig_set_desc_at(r, table, 0, RIG_DATA, 8, VRIG_NEXT, 0);
	vrig_set_desc(r, 0, 0, table, 16, VRIG_INDIRECT, 0);
	vrig_make_available(r, 0, 0);
}

static void chain_longer_than_the_queue(struct vrig *r)
{
	struct vrig_range all[QUEUE + 1];

	for (unsigned i = 0; i <= QUEUE; i++)
		all[i] = VRIG_IN(RIG_DATA, 1);
	vrig_submit_indirect(r, 0, all, QUEUE + 1);
}

static void readable_behind_writable(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_OUT(RIG_DATA, 4), VRIG_IN(RIG_DATA, 4), VRIG_OUT(RIG_DATA, 4));
}

static void readable_behind_writable_of_nothing(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_IN(RIG_DATA, 0), VRIG_OUT(RIG_DATA, 4));
}

static void range_below_ram(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_OUT(BIS_RAM_BASE - 1, 2));
}

static void range_beyond_ram(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_OUT(RIG_DATA, 8), VRIG_IN(VRIG_RAM_END - 8, 9));
}

static void range_on_registers(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_IN(VRIG_WINDOW, 4));
}

static void range_that_wraps(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_IN(UINT64_MAX - 3, 8));
}

static void range_of_all_lengths(struct vrig *r)
{
	vrig_submit(r, 0, VRIG_IN(BIS_RAM_BASE, UINT32_MAX));
}

static void put_table(struct vrig *r, uint64_t pa, uint32_t len, unsigned flags)
{
	vrig_set_desc(r, 0, 0, pa, len, VRIG_INDIRECT | flags, 1);
	vrig_set_desc(r, 0, 1, RIG_DATA, 8, 0, 0);
	vrig_make_available(r, 0, 0);
}

static void table_of_no_length(struct vrig *r)
{
	put_table(r, vrig_alloc(r, 64), 0, 0);
}

static void table_of_odd_length(struct vrig *r)
{
	put_table(r, vrig_alloc(r, 64), 24, 0);
}

static void table_with_a_next(struct vrig *r)
{
	put_table(r, vrig_alloc(r, 64), 16, VRIG_NEXT);
}

static void table_outside_ram(struct vrig *r)
{
	put_table(r, VRIG_RAM_END - 16, 32, 0);
}

static void table_that_wraps(struct vrig *r)
{
	put_table(r, UINT64_MAX - 15, 32, 0);
}

static void table_in_a_table(struct vrig *r)
{
	uint64_t table = vrig_alloc(r, 64);

	vrig_set_desc_at(r, table, 0, table, 16, VRIG_INDIRECT, 0);
	put_table(r, table, 16, 0);
}

static const struct rule {
	const char *name;
	void (*breach)(struct vrig *r);
} rules[] = {
#define RULE(name)                                                                                                     \
	{                                                                                                              \
#name, name                                                                                            \
	}
	RULE(index_runs_ahead),
	RULE(index_runs_back),
	RULE(head_out_of_range),
	RULE(next_out_of_range),
	RULE(next_out_of_range_of_table),
	RULE(chain_is_a_loop),
	RULE(chain_is_a_loop_of_nothing),
	RULE(table_is_a_loop),
	RULE(chain_longer_than_the_queue),
	RULE(readable_behind_writable),
	RULE(readable_behind_writable_of_nothing),
	RULE(range_below_ram),
	RULE(range_beyond_ram),
	RULE(range_on_registers),
	RULE(range_that_wraps),
	RULE(range_of_all_lengths),
	RULE(table_of_no_length),
	RULE(table_of_odd_length),
	RULE(table_with_a_next),
	RULE(table_outside_ram),
	RULE(table_that_wraps),
	RULE(table_in_a_table),
#undef RULE
};

/* Out of order until a reset: nothing comes out, nothing is given back, and the driver has been told once. */
static void check_broken(struct virtio_test *t, struct virtio_chain *before, const char *rule)
{
	struct virtio_chain c;

	if (virtio_pop(t->v, 0, &c) || !vrig_needs_reset(t->r))
		fail_msg("%s: no reset is asked for", rule);
	assert_true(vrig_irq(t->r));
	assert_int_equal(vrig_ack(t->r), 2);
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	assert_false(virtio_available(t->v, 0));
	assert_false(virtio_live(t->v));
	virtio_push(before);
	virtio_signal(t->v, before->queue);
	assert_int_equal(vrig_get16(t->r, t->r->q[0].used + 2), 0);
	vrig_notify(t->r, 1);
	assert_int_equal(t->f->notified[1], 0);
	assert_false(vrig_irq(t->r));
}

static void each_broken_rule_asks_for_a_reset(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain before;
	uint64_t free_ram = t->r->next;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rules); i++) {
		t->r->next = free_ram;
		vrig_start(t->r, VIRTIO_F_INDIRECT_DESC, FAKE_QUEUES, QUEUE);
		vrig_submit(t->r, 1, VRIG_IN(RIG_DATA, 8));
		assert_int_equal(virtio_pop(t->v, 1, &before), 1);
		rules[i].breach(t->r);
		check_broken(t, &before, rules[i].name);
	}
	vrig_start(t->r, 0, 1, QUEUE);
	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 1));
	assert_int_equal(virtio_pop(t->v, 0, &before), 1);
	virtio_push(&before);
	assert_true(vrig_used(t->r, 0, NULL, NULL));
}

static void indirect_tables_must_be_negotiated(void **state)
{
	struct virtio_test *t = *state;
	uint64_t table = vrig_alloc(t->r, 64);
	struct virtio_chain c;

	vrig_start(t->r, 0, 1, QUEUE);
	vrig_set_desc_at(t->r, table, 0, RIG_DATA, 8, 0, 0);
	put_table(t->r, table, 16, 0);
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	assert_true(vrig_needs_reset(t->r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_broken_rule_asks_for_a_reset, virtio_test_setup,
						virtio_test_teardown),
		cmocka_unit_test_setup_teardown(indirect_tables_must_be_negotiated, virtio_test_setup,
						virtio_test_teardown),
	};

	return cmocka_run_group_tests_name("virtqueue-rules", tests, NULL, NULL);
}
