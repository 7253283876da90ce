/*
 * Network devices: either half first, frames in order in both directions, the bounded queue and back-pressure, the
 * cable, and the end of a back end or front end while the other stays.
 */
#include "tests/unit/net_fake.h"
#include "tests/unit/rig.h"

static struct bis_machine *machine(void)
{
	return rig_create_with("rv64", 1, bis_builtin_modules);
}

/* A frame of `len` bytes that tells its number. */
static const uint8_t *frame(unsigned number, size_t len)
{
	static _Thread_local uint8_t bytes[BIS_NETDEV_FRAME];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number + i);
	return bytes;
}

static void assert_frame(const struct net_frame *f, unsigned number, size_t len)
{
	assert_int_equal(f->len, len);
	assert_memory_equal(f->bytes, frame(number, len), len < sizeof(f->bytes) ? len : sizeof(f->bytes));
}

static void either_half_may_come_first(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b;

	(void)state;
	assert_null(bis_netdev_find(m, "b"));
	assert_ptr_equal(bis_netdev_find(m, "a"), f->netdev);
	assert_false(bis_netdev_link(f->netdev));
	b = net_back_plug(m, "a", 0);
	assert_ptr_equal(b->netdev, f->netdev);
	assert_true(f->link);
	net_front_send(f, frame(1, 60), 60);
	assert_frame(&b->got[0], 1, 60);
	assert_true(bis_netdev_deliver(b->netdev, frame(2, 1514), 1514));
	assert_frame(&f->got[0], 2, 1514);
	net_front_detach(f);
	bis_machine_destroy(m);
	assert_int_equal(b->destroyed, 1);
	free(b);
}

static void a_second_half_of_a_kind_is_refused_by_name(void **state)
{
	static const struct bis_netdev_ops back = {.wake = net_back_wake};
	static const struct bis_netdev_front_ops front = {0};
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "lan");
	struct net_back *b = net_back_plug(m, "lan", 0);
	struct bis_netdev *n;

	(void)state;
	assert_fails(bis_netdev_create(m, "lan", &back, NULL, &n), -EEXIST, "the network 'lan' already has a back end");
	assert_fails(bis_netdev_attach(b->netdev, &front, NULL), -EEXIST, "the network 'lan' already has a device");
	assert_int_equal(b->destroyed, 0);
	net_front_detach(f);
	bis_machine_destroy(m);
	free(b);
}

/* Frames of all sizes go round the ring many times; the guest takes them in fits and starts. */
static void waiting_frames_come_in_order_and_whole(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b = net_back_plug(m, "a", 0);
	uint32_t seed = 12345;
	unsigned sent = 0, seen = 0;
	static size_t lens[1 << 16];

	(void)state;
	while (sent < 20000) {
		unsigned burst = (seed >> 8) % 200 + 1;

		net_front_accept(f, f->count);
		for (unsigned i = 0; i < burst; i++) {
			size_t len;

			seed = seed * 1103515245 + 12345;
			len = (seed >> 9) % 7 ? 14 + (seed >> 16) % 2000 : BIS_NETDEV_FRAME - (seed >> 16) % 9;
			if (bis_netdev_deliver(b->netdev, frame(sent, len), len))
				lens[sent++] = len;
			else
				assert_true(bis_netdev_congested(b->netdev));
		}
		net_front_accept(f, f->count + burst);
		for (; seen < f->count; seen++)
			assert_frame(&f->got[seen % NET_FAKE_FRAMES], seen, lens[seen]);
	}
	net_front_accept(f, SIZE_MAX);
	assert_int_equal(f->count, sent);
	net_front_detach(f);
	bis_machine_destroy(m);
	free(b);
}

static void a_full_queue_drops_counts_and_tells_when_there_is_room(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b = net_back_plug(m, "a", 0);
	size_t kept = 0;

	(void)state;
	f->limit = 0;
	assert_false(bis_netdev_congested(b->netdev));
	while (bis_netdev_deliver(b->netdev, frame(7, 1000), 1000))
		kept++;
	assert_true(kept >= BIS_NETDEV_QUEUE / 1004 - 1);
	assert_int_equal(f->dropped, 1);
	assert_true(bis_netdev_congested(b->netdev));
	b->wakes = 0;
	net_front_accept(f, 1);
	assert_int_equal(b->wakes, 0);
	net_front_accept(f, kept - BIS_NETDEV_QUEUE / 4 / 1004);
	assert_int_equal(b->wakes, 1);
	assert_false(bis_netdev_congested(b->netdev));
	net_front_accept(f, SIZE_MAX);
	assert_int_equal(b->wakes, 1);
	assert_int_equal(f->count, kept);
	net_front_detach(f);
	bis_machine_destroy(m);
	free(b);
}

static void frames_that_are_none_are_refused(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b = net_back_plug(m, "a", 0);

	(void)state;
	assert_false(bis_netdev_deliver(b->netdev, frame(0, 13), 13));
	assert_false(bis_netdev_deliver(b->netdev, frame(0, 1), BIS_NETDEV_FRAME + 1));
	assert_int_equal(f->count, 0);
	net_front_detach(f);
	bis_machine_destroy(m);
	free(b);
}

static void a_pulled_cable_loses_frames_of_both_directions(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b = net_back_plug(m, "a", 0);

	(void)state;
	assert_int_equal(f->links, 1);
	bis_machine_lock_devices(m);
	bis_netdev_set_link(f->netdev, false);
	bis_netdev_set_link(f->netdev, false);
	bis_machine_unlock_devices(m);
	assert_int_equal(f->links, 2);
	assert_false(f->link);
	net_front_send(f, frame(1, 60), 60);
	assert_false(bis_netdev_deliver(b->netdev, frame(1, 60), 60));
	bis_machine_lock_devices(m);
	bis_netdev_set_link(f->netdev, true);
	bis_machine_unlock_devices(m);
	assert_true(f->link);
	net_front_send(f, frame(2, 60), 60);
	assert_true(bis_netdev_deliver(b->netdev, frame(3, 60), 60));
	assert_int_equal(b->count, 1);
	assert_frame(&b->got[0], 2, 60);
	assert_int_equal(f->count, 1);
	assert_frame(&f->got[0], 3, 60);
	net_front_detach(f);
	bis_machine_destroy(m);
	free(b);
}

static void a_stopped_front_end_is_left_alone_and_catches_up(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b = net_back_plug(m, "a", 0);

	(void)state;
	bis_machine_lock_devices(m);
	bis_netdev_stop(f->netdev);
	bis_machine_unlock_devices(m);
	net_front_send(f, frame(1, 60), 60);
	assert_true(bis_netdev_deliver(b->netdev, frame(2, 61), 61));
	assert_int_equal(b->count + f->count, 0);
	bis_machine_lock_devices(m);
	bis_netdev_start(f->netdev);
	bis_machine_unlock_devices(m);
	assert_int_equal(b->count, 1);
	assert_frame(&f->got[0], 2, 61);

	f->limit = 1;
	assert_true(bis_netdev_deliver(b->netdev, frame(3, 61), 61));
	bis_machine_lock_devices(m);
	bis_netdev_clear(f->netdev);
	bis_machine_unlock_devices(m);
	net_front_accept(f, SIZE_MAX);
	assert_int_equal(f->count, 1);
	net_front_detach(f);
	bis_machine_destroy(m);
	free(b);
}

static void either_half_may_go_while_the_other_stays(void **state)
{
	struct bis_machine *m = machine();
	struct net_front *f = net_front_attach(m, "a");
	struct net_back *b = net_back_plug(m, "a", 0), *second;

	(void)state;
	f->limit = 0;
	bis_netdev_deliver(b->netdev, frame(1, 60), 60);
	net_back_unplug(b);
	assert_int_equal(b->destroyed, 1);
	assert_false(f->link);
	net_front_send(f, frame(1, 60), 60);
	second = net_back_plug(m, "a", 0);
	assert_true(f->link);
	net_front_accept(f, SIZE_MAX);
	assert_int_equal(f->count, 0);
	net_front_send(f, frame(2, 60), 60);
	assert_int_equal(second->count, 1);
	assert_frame(&second->got[0], 2, 60);
	net_front_detach(f);
	assert_true(bis_netdev_deliver(second->netdev, frame(3, 60), 60));
	f = net_front_attach(m, "a");
	assert_int_equal(f->count, 1);
	net_front_detach(f);
	bis_machine_destroy(m);
	assert_int_equal(b->destroyed, 1);
	assert_int_equal(second->destroyed, 1);
	free(b);
	free(second);
}

struct traffic {
	struct net_back *back;
	_Atomic bool quit;
};

static void *deliver_and_fetch(void *arg)
{
	struct traffic *t = arg;

	while (!t->quit) {
		bis_netdev_deliver(t->back->netdev, frame(1, 600), 600);
		net_back_fetch(t->back);
	}
	return NULL;
}

/* The back end's thread runs on while the front end comes and goes under the device lock. */
static void halves_may_change_under_traffic(void **state)
{
	struct bis_machine *m = machine();
	struct traffic t = {.back = net_back_plug(m, "a", 0)};
	pthread_t thread;

	(void)state;
	t.back->lazy = true;
	assert_int_equal(pthread_create(&thread, NULL, deliver_and_fetch, &t), 0);
	for (int i = 0; i < 200; i++) {
		struct net_front *f = net_front_attach(m, "a");

		net_front_send(f, frame(2, 60), 60);
		rig_wait_for(net_front_fetched(f) == 1);
		net_front_detach(f);
	}
	t.quit = true;
	pthread_join(thread, NULL);
	bis_machine_destroy(m);
	free(t.back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_half_may_come_first),
		cmocka_unit_test(a_second_half_of_a_kind_is_refused_by_name),
		cmocka_unit_test(waiting_frames_come_in_order_and_whole),
		cmocka_unit_test(a_full_queue_drops_counts_and_tells_when_there_is_room),
		cmocka_unit_test(frames_that_are_none_are_refused),
		cmocka_unit_test(a_pulled_cable_loses_frames_of_both_directions),
		cmocka_unit_test(a_stopped_front_end_is_left_alone_and_catches_up),
		cmocka_unit_test(either_half_may_go_while_the_other_stays),
		cmocka_unit_test(halves_may_change_under_traffic),
	};

	return cmocka_run_group_tests_name("netdev", tests, NULL, NULL);
}
