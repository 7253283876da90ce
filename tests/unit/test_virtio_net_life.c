/* Virtio network device: the link, addresses, what a pause and a reset do, and drivers that are never done. */
#include "tests/unit/net_rig.h"

/* --- Link and addresses --- */

static void the_driver_hears_of_the_cable(void **state)
{
	struct net n = open_net(F_STATUS, 8);
	struct header h = {0};

	(void)state;
	assert_int_equal(vrig_config(n.r, CONFIG_STATUS, 2), 1);
	vrig_ack(n.r);
	assert_ok(ctl(&n, "link down"));
	assert_int_equal(vrig_ack(n.r), 2);
	assert_int_equal(vrig_config(n.r, CONFIG_STATUS, 2), 0);
	assert_int_equal(send(&n, &h, pattern(60), 60).len, 0);
	assert_int_equal(field(&n, "tx_dropped"), 1);
	assert_false(bis_netdev_deliver(n.back->netdev, pattern(60), 60));
	assert_ok(ctl(&n, "link up"));
	assert_int_equal(vrig_ack(n.r) & 2, 2);
	assert_int_equal(send(&n, &h, pattern(60), 60).len, 60);
	assert_fails(ctl(&n, "unplug"), -EINVAL, "unknown verb 'unplug'; expected 'link up' or 'link down'");
	close_net(&n);
}

static void a_device_without_a_network_has_no_link(void **state)
{
	struct net n = {.r = vrig_open("virtio-net")};
	struct header h = {0};
	uint64_t pa;

	(void)state;
	vrig_start(n.r, F_STATUS, 2, 8);
	pa = vrig_alloc(n.r, 4096);
	assert_int_equal(vrig_config(n.r, CONFIG_STATUS, 2), 0);
	vrig_put(n.r, pa, &h, HEADER);
	vrig_request(n.r, TX, VRIG_OUT(pa, HEADER + 60));
	assert_int_equal(field(&n, "tx_dropped"), 1);
	vrig_close(n.r);
}

static uint64_t mac_of(struct vrig *r)
{
	uint64_t mac = 0;

	for (unsigned i = 0; i < 6; i++)
		mac = mac << 8 | vrig_config(r, CONFIG_MAC + i, 1);
	return mac;
}

static void the_address_is_given_or_made_from_the_network(void **state)
{
	struct vrig *r = vrig_open("virtio-net,mac=02:00:5E:10:00:fF");
	uint64_t first, again, other;

	(void)state;
	assert_true(vrig_offered(r) & F_MAC);
	assert_int_equal(mac_of(r), 0x02005e1000ff);
	vrig_close(r);
	r = vrig_open("virtio-net,netdev=tap0");
	first = mac_of(r);
	vrig_close(r);
	r = vrig_open("virtio-net,netdev=tap0");
	again = mac_of(r);
	vrig_close(r);
	r = vrig_open("virtio-net,netdev=tap1");
	other = mac_of(r);
	vrig_close(r);
	assert_int_equal(first, again);
	assert_int_not_equal(first, other);
	assert_int_equal(first >> 40 & 3, 2); /* locally administered, one device's */
}

static void mistakes_in_options_are_named(void **state)
{
	static const struct {
		const char *spec, *words;
	} bad[] = {
		{"virtio-net,mac=02:00:00:00:00", "mac=02:00:00:00:00: expected six pairs of hexadecimal digits"},
		{"virtio-net,mac=02:00:00:00:00:01:02", "expected six pairs"},
		{"virtio-net,mac=2:0:0:0:0:1", "expected six pairs"},
		{"virtio-net,mac=02-00-00-00-00-01", "expected six pairs"},
		{"virtio-net,mac=0g:00:00:00:00:01", "expected six pairs"},
		{"virtio-net,mac=01:00:00:00:00:01", "is no address of a single device"},
		{"virtio-net,mac=00:00:00:00:00:00", "is no address of a single device"},
	};
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);
	struct bis_module *mod;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_fails(bis_machine_add(m, bad[i].spec, &mod), -EINVAL, bad[i].words);
	assert_ok(bis_machine_add(m, "virtio-net,at=0x10001000,irq=1", &mod));
	assert_fails(bis_machine_add(m, "virtio-net,at=0x10002000,irq=2", &mod), -EEXIST,
		     "virtio-net1: the network 'net0' already has a device");
	assert_ok(bis_machine_remove(m, mod));
	assert_ok(bis_machine_add(m, "virtio-net,at=0x10001000,irq=1", &mod));
	bis_machine_destroy(m);
}

/* --- Lifecycle --- */

static void a_paused_device_leaves_memory_alone_and_catches_up(void **state)
{
	struct net n = open_net(0, 8);
	const struct bis_module_class *c = bis_module_class_of(n.r->mod);

	(void)state;
	n.back->lazy = true;
	vrig_submit(n.r, RX, VRIG_IN(n.buffer, 2000));
	vrig_submit(n.r, TX, VRIG_OUT(n.buffer + 4096, HEADER + 60));
	lifecycle(&n, c->pause);
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(60), 60));
	assert_int_equal(net_back_fetch(n.back), 0);
	assert_false(vrig_used(n.r, RX, NULL, NULL));
	assert_false(vrig_used(n.r, TX, NULL, NULL));
	n.back->lazy = false;
	lifecycle(&n, c->resume);
	assert_int_equal(n.back->count, 1);
	assert_true(vrig_used(n.r, RX, NULL, NULL));
	assert_true(vrig_used(n.r, TX, NULL, NULL));
	close_net(&n);
}

/* What was under way before a reset does not reach the driver that comes after it. */
static void a_reset_forgets_frames_and_buffers(void **state)
{
	struct net n = open_net(0, 8);
	struct header h = {0};
	uint32_t len;

	(void)state;
	bis_netdev_deliver(n.back->netdev, pattern(60), 60);
	vrig_reset(n.r);
	bis_netdev_deliver(n.back->netdev, pattern(61), 61);
	vrig_start(n.r, 0, 2, 8);
	vrig_submit(n.r, RX, VRIG_IN(n.buffer, 2000));
	vrig_notify(n.r, RX);
	assert_false(vrig_used(n.r, RX, NULL, NULL));
	bis_netdev_deliver(n.back->netdev, pattern(62), 62);
	assert_true(vrig_used(n.r, RX, NULL, &len));
	assert_int_equal(len, HEADER + 62);
	lifecycle(&n, bis_module_class_of(n.r->mod)->reset);
	assert_int_equal(vrig_rd(n.r, VRIG_STATUS), 0);
	assert_int_equal(vrig_config(n.r, CONFIG_STATUS, 2), 1);
	vrig_start(n.r, 0, 2, 8);
	assert_int_equal(send(&n, &h, pattern(60), 60).len, 60);
	close_net(&n);
}

struct traffic {
	struct net *net;
	_Atomic bool quit;
};

static void *deliver_and_fetch(void *arg)
{
	struct traffic *t = arg;

	while (!t->quit) {
		bis_netdev_deliver(t->net->back->netdev, pattern(600), 600);
		net_back_fetch(t->net->back);
	}
	return NULL;
}

/* Frames of both directions on another thread while the driver comes and goes. */
static void drivers_may_change_under_traffic(void **state)
{
	struct net n = open_net(VIRTIO_F_EVENT_IDX, 8);
	struct traffic t = {.net = &n};
	pthread_t thread;

	(void)state;
	n.back->lazy = true;
	assert_int_equal(pthread_create(&thread, NULL, deliver_and_fetch, &t), 0);
	for (int i = 0; i < 100; i++) {
		uint64_t keep = n.r->next;

		vrig_start(n.r, VIRTIO_F_EVENT_IDX | F_MRG_RXBUF, 2, 8);
		for (int j = 0; j < 6; j++)
			vrig_submit(n.r, RX, VRIG_IN(n.buffer, 400));
		vrig_notify(n.r, RX);
		vrig_submit(n.r, TX, VRIG_OUT(n.buffer + 8192, HEADER + 60));
		vrig_notify(n.r, TX);
		vrig_wait_used(n.r, TX, NULL, NULL);
		vrig_wait_used(n.r, RX, NULL, NULL);
		vrig_reset(n.r);
		n.r->next = keep;
	}
	t.quit = true;
	pthread_join(thread, NULL);
	assert_true(field(&n, "tx_frames") >= 100);
	close_net(&n);
}

/* --- Drivers that are never done --- */

/*
 * A second hart may go on making frames available that are refused; the notification of the first ends nevertheless,
 * and the rest comes back when others have had the device lock.
 */
static void refused_frames_come_back_in_turns(void **state)
{
	(void)state;
	for (int link = 0; link < 2; link++) {
		struct net n = open_net(0, VIRTIO_QUEUE_SIZE);
		const struct vrig_queue *q = &n.r->q[TX];

		if (!link)
			assert_ok(ctl(&n, "link down"));
		for (unsigned i = 0; i < q->size; i++)
			vrig_submit(n.r, TX, VRIG_OUT(n.buffer, HEADER - 1));
		bis_machine_lock_devices(n.r->m);
		vrig_notify(n.r, TX);
		assert_in_range(vrig_get16(n.r, q->used + 2), 1, q->size - 1);
		bis_machine_unlock_devices(n.r->m);
		rig_wait_for(vrig_get16(n.r, q->used + 2) == q->size);
		assert_false(vrig_needs_reset(n.r));
		assert_int_equal(n.back->count, 0);
		close_net(&n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_driver_hears_of_the_cable),
		cmocka_unit_test(a_device_without_a_network_has_no_link),
		cmocka_unit_test(the_address_is_given_or_made_from_the_network),
		cmocka_unit_test(mistakes_in_options_are_named),
		cmocka_unit_test(a_paused_device_leaves_memory_alone_and_catches_up),
		cmocka_unit_test(a_reset_forgets_frames_and_buffers),
		cmocka_unit_test(drivers_may_change_under_traffic),
		cmocka_unit_test(refused_frames_come_back_in_turns),
	};

	return cmocka_run_group_tests_name("virtio net life", tests, NULL, NULL);
}
