/*
 * Virtio network device: headers, checksums, segments, merged buffers, back-pressure and counters, and what malformed
 * requests do.
 */
#include "tests/unit/net_rig.h"

/* --- Sending --- */

static void a_frame_goes_out_without_its_header(void **state)
{
	struct net n = open_net(0, 8);
	struct header h = {0};
	struct net_frame got = send(&n, &h, pattern(1514), 1514);

	(void)state;
	assert_int_equal(got.len, 1514);
	assert_memory_equal(got.bytes, pattern(1514), 1514);
	assert_int_equal(vrig_ack(n.r), 1);
	assert_int_equal(field(&n, "tx_frames"), 1);
	assert_int_equal(field(&n, "tx_bytes"), 1514);
	close_net(&n);
}

/* Section 2.7.4: a device must not care how a request is cut into ranges. */
static void header_and_frame_may_be_cut_anywhere(void **state)
{
	struct net n = open_net(0, 16);

	(void)state;
	vrig_put(n.r, n.buffer + HEADER, pattern(60), 60);
	vrig_request(n.r, TX, VRIG_OUT(n.buffer, 1), VRIG_OUT(n.buffer + 1, 10), VRIG_OUT(n.buffer + 11, 8),
		     VRIG_OUT(n.buffer + 19, 53));
	assert_int_equal(n.back->got[0].len, 60);
	assert_memory_equal(n.back->got[0].bytes, pattern(60), 60);
	vrig_request(n.r, TX, VRIG_OUT(n.buffer, HEADER + 60));
	assert_memory_equal(n.back->got[1].bytes, pattern(60), 60);
	close_net(&n);
}

static void many_frames_take_one_interrupt(void **state)
{
	struct net n = open_net(VIRTIO_F_EVENT_IDX, 16);
	uint32_t id;

	(void)state;
	vrig_put(n.r, n.buffer + HEADER, pattern(60), 60);
	n.back->lazy = true;
	for (int i = 0; i < 10; i++)
		vrig_submit(n.r, TX, VRIG_OUT(n.buffer, HEADER + 60));
	vrig_notify(n.r, TX);
	assert_int_equal(n.back->wakes, 2); /* at the start of the driver, and now */
	assert_int_equal(bis_irq_level(bis_module_irq(n.r->mod, 0)), false);
	assert_int_equal(net_back_fetch(n.back), 10);
	assert_int_equal(vrig_ack(n.r), 1);
	for (int i = 0; i < 10; i++)
		assert_true(vrig_used(n.r, TX, &id, NULL));
	assert_false(vrig_irq(n.r));
	close_net(&n);
}

/* The Internet checksum of `len` bytes, as RFC 1071 describes it. */
static uint16_t internet_sum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | (i + 1 < len ? bytes[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Section 5.1.6.2.1: the sum over everything from csum_start, with what stood in its place, is then that of zero. */
static void missing_checksums_are_put_in(void **state)
{
	static const size_t lens[] = {42, 43, 60, 61, 62, 63, 64, 65, 1513, 1514};
	struct net n = open_net(F_CSUM, 8);
	struct header h = {.flags = 1, .csum_start = 34, .csum_offset = 6};
	uint8_t bytes[1514];

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(lens); i++) {
		uint16_t pseudo = (uint16_t)(0x1234 * i + 7);
		uint8_t place[2] = {(uint8_t)(pseudo >> 8), (uint8_t)pseudo};
		struct net_frame got;
		uint16_t sum;

		memcpy(bytes, pattern(1514), sizeof(bytes));
		memcpy(bytes + 40, place, 2);
		got = send(&n, &h, bytes, lens[i]);
		assert_int_equal(got.len, lens[i]);
		/* What the receiver sums: the frame's part and the pseudo header. */
		sum = internet_sum(got.bytes + 34, lens[i] - 34);
		sum = internet_sum((const uint8_t[]){(uint8_t)(sum >> 8), (uint8_t)sum, place[0], place[1]}, 4);
		assert_int_equal(sum, 0xffff);
		got.bytes[40] = place[0];
		got.bytes[41] = place[1];
		assert_memory_equal(got.bytes, bytes, lens[i]);
	}
	close_net(&n);
}

/* RFC 768: a checksum that comes out as 0 is sent as all ones. */
static void a_checksum_is_never_sent_as_none(void **state)
{
	struct net n = open_net(F_CSUM, 8);
	struct header h = {.flags = 1, .csum_start = 34, .csum_offset = 6};
	uint8_t bytes[60] = {0};
	struct net_frame got;

	(void)state;
	bytes[34] = bytes[35] = 0xff;
	got = send(&n, &h, bytes, sizeof(bytes));
	assert_int_equal(got.bytes[40], 0xff);
	assert_int_equal(got.bytes[41], 0xff);
	close_net(&n);
}

static void malformed_frames_are_dropped_and_counted(void **state)
{
	static const struct {
		struct header h;
		size_t len;
	} bad[] = {
		{{0}, 0},						 /* nothing */
		{{0}, 13},						 /* no Ethernet header */
		{{0}, BIS_NETDEV_FRAME + 1},				 /* longer than any frame */
		{{.flags = 1, .csum_start = 60, .csum_offset = 0}, 60},	 /* checksum of nothing */
		{{.flags = 1, .csum_start = 34, .csum_offset = 25}, 60}, /* half of it behind the end */
		{{.flags = 1, .csum_start = 65535, .csum_offset = 65535}, 60},
		{{.gso_type = 1, .gso_size = 1460}, 3000}, /* segments without the feature */
		{{.gso_type = 3, .gso_size = 1460}, 3000},
		{{.gso_type = 0xff}, 60},
	};
	struct net n = open_net(F_CSUM, 8);
	struct header h = {0};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		assert_int_equal(send(&n, &bad[i].h, pattern(bad[i].len), bad[i].len).len, 0);
		assert_int_equal(field(&n, "tx_dropped"), i + 1);
	}
	vrig_request(n.r, TX, VRIG_OUT(n.buffer, HEADER - 1));
	vrig_request(n.r, TX, VRIG_IN(n.buffer, 100));
	assert_int_equal(field(&n, "tx_dropped"), BIS_ARRAY_SIZE(bad) + 2);
	assert_false(vrig_needs_reset(n.r));
	assert_int_equal(send(&n, &h, pattern(60), 60).len, 60);
	close_net(&n);
	n = open_net(0, 8);
	h = (struct header){.flags = 1, .csum_start = 34, .csum_offset = 6};
	assert_int_equal(send(&n, &h, pattern(60), 60).len, 0);
	close_net(&n);
}

static void segments_go_out_whole_where_they_are_taken(void **state)
{
	struct header h = {
		.flags = 1, .gso_type = 1, .hdr_len = 54, .gso_size = 1460, .csum_start = 34, .csum_offset = 16};
	struct net n = open_with(BIS_NETDEV_SEGMENTS, F_CSUM | F_HOST_TSO4);
	struct net_back *other;

	(void)state;
	assert_true((vrig_offered(n.r) & F_HOST_TSO4) && (vrig_offered(n.r) & F_HOST_TSO6));
	assert_int_equal(send(&n, &h, pattern(65535), 65535).len, 65535);
	h.gso_type = 4;
	assert_int_equal(send(&n, &h, pattern(3000), 3000).len, 0);
	/* Another back end takes the first one's place, which does not take them. */
	net_back_unplug(n.back);
	other = net_back_plug(n.r->m, "net0", 0);
	h.gso_type = 1;
	send(&n, &h, pattern(3000), 3000);
	assert_int_equal(other->count, 0);
	close_net(&n);
	free(other);
	n = open_with(0, 0);
	assert_false((vrig_offered(n.r) & F_HOST_TSO4) || (vrig_offered(n.r) & F_HOST_TSO6));
	close_net(&n);
}

/* --- Receiving --- */

static struct header received(struct net *n, uint64_t pa)
{
	struct header h;

	vrig_get(n->r, pa, &h, HEADER);
	return h;
}

static void assert_in_memory(struct net *n, uint64_t pa, const uint8_t *bytes, size_t len)
{
	uint8_t got[BIS_NETDEV_FRAME];

	vrig_get(n->r, pa, got, len);
	assert_memory_equal(got, bytes, len);
}

static void a_frame_comes_in_behind_a_header(void **state)
{
	struct net n = open_net(0, 8);
	uint32_t len = 0;
	struct header h;

	(void)state;
	vrig_put(n.r, n.buffer, pattern(100), 100);
	vrig_submit(n.r, RX, VRIG_IN(n.buffer, 5), VRIG_IN(n.buffer + 5, 1521));
	vrig_notify(n.r, RX);
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(1514), 1514));
	assert_true(vrig_used(n.r, RX, NULL, &len));
	assert_int_equal(len, HEADER + 1514);
	assert_int_equal(vrig_ack(n.r), 1);
	h = received(&n, n.buffer);
	assert_int_equal(h.num_buffers, 1);
	assert_int_equal(h.flags | h.gso_type | h.gso_size | h.csum_start, 0);
	assert_in_memory(&n, n.buffer + HEADER, pattern(1514), 1514);
	assert_int_equal(field(&n, "rx_frames"), 1);
	close_net(&n);
}

static void only_a_back_end_that_knows_vouches_for_checksums(void **state)
{
	static const struct {
		unsigned back;
		uint64_t features;
		uint8_t flags;
	} cases[] = {{0, F_GUEST_CSUM, 0}, {BIS_NETDEV_VERIFIED, F_GUEST_CSUM, 2}, {BIS_NETDEV_VERIFIED, 0, 0}};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		struct net n = open_with(cases[i].back, cases[i].features);

		vrig_submit(n.r, RX, VRIG_IN(n.buffer, 2000));
		bis_netdev_deliver(n.back->netdev, pattern(60), 60);
		assert_true(vrig_used(n.r, RX, NULL, NULL));
		assert_int_equal(received(&n, n.buffer).flags, cases[i].flags);
		close_net(&n);
	}
}

static void frames_wait_for_buffers_and_come_in_order(void **state)
{
	struct net n = open_net(VIRTIO_F_EVENT_IDX, 8);
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		assert_true(bis_netdev_deliver(n.back->netdev, pattern(60 + i), 60 + i));
	for (size_t i = 0; i < 20; i++) {
		vrig_submit(n.r, RX, VRIG_IN(n.buffer, 2000));
		vrig_notify(n.r, RX);
		assert_true(vrig_used(n.r, RX, NULL, &len));
		assert_int_equal(len, HEADER + 60 + i);
	}
	assert_int_equal(field(&n, "rx_dropped"), 0);
	while (bis_netdev_deliver(n.back->netdev, pattern(1000), 1000))
		;
	assert_int_equal(field(&n, "rx_dropped"), 1);
	close_net(&n);
}

static void a_frame_too_long_for_the_buffer_is_dropped_and_the_buffer_kept(void **state)
{
	struct net n = open_net(0, 8);
	uint32_t len;

	(void)state;
	vrig_submit(n.r, RX, VRIG_IN(n.buffer, HEADER + 99));
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(100), 100));
	assert_int_equal(field(&n, "rx_dropped"), 1);
	assert_false(vrig_used(n.r, RX, NULL, NULL));
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(99), 99));
	assert_true(vrig_used(n.r, RX, NULL, &len));
	assert_int_equal(len, HEADER + 99);
	close_net(&n);
}

static void a_long_frame_fills_several_buffers(void **state)
{
	struct net n = open_net(F_MRG_RXBUF, 16);
	uint32_t len, id;
	uint16_t heads[4];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		heads[i] = vrig_submit(n.r, RX, VRIG_IN(n.buffer + i * 4096, 1000));
	/* 2500 bytes and the header need a third, which is not there: nothing happens until it is. */
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(2500), 2500));
	assert_false(vrig_used(n.r, RX, NULL, NULL));
	for (unsigned i = 2; i < 4; i++)
		heads[i] = vrig_submit(n.r, RX, VRIG_IN(n.buffer + i * 4096, 1000));
	vrig_notify(n.r, RX);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(vrig_used(n.r, RX, &id, &len));
		assert_int_equal(id, heads[i]);
		assert_int_equal(len, i < 2 ? 1000 : 512);
	}
	assert_int_equal(received(&n, n.buffer).num_buffers, 3);
	assert_in_memory(&n, n.buffer + HEADER, pattern(2500), 988);
	assert_in_memory(&n, n.buffer + 4096, pattern(2500) + 988, 1000);
	assert_in_memory(&n, n.buffer + 8192, pattern(2500) + 1988, 512);
	/* A frame that fits into one takes one. */
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(988), 988));
	assert_true(vrig_used(n.r, RX, &id, &len));
	assert_int_equal(id, heads[3]);
	assert_int_equal(received(&n, n.buffer + 3 * 4096).num_buffers, 1);
	close_net(&n);
}

static void a_buffer_without_room_for_the_header_breaks_a_rule(void **state)
{
	struct net n = open_net(F_MRG_RXBUF, 8);

	(void)state;
	vrig_submit(n.r, RX, VRIG_IN(n.buffer, HEADER - 1));
	bis_netdev_deliver(n.back->netdev, pattern(60), 60);
	assert_true(vrig_needs_reset(n.r));
	vrig_start(n.r, F_MRG_RXBUF, 2, 8);
	vrig_submit(n.r, RX, VRIG_IN(n.buffer, 100));
	assert_true(bis_netdev_deliver(n.back->netdev, pattern(60), 60));
	assert_true(vrig_used(n.r, RX, NULL, NULL));
	close_net(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_goes_out_without_its_header),
		cmocka_unit_test(header_and_frame_may_be_cut_anywhere),
		cmocka_unit_test(many_frames_take_one_interrupt),
		cmocka_unit_test(missing_checksums_are_put_in),
		cmocka_unit_test(a_checksum_is_never_sent_as_none),
		cmocka_unit_test(malformed_frames_are_dropped_and_counted),
		cmocka_unit_test(segments_go_out_whole_where_they_are_taken),
		cmocka_unit_test(a_frame_comes_in_behind_a_header),
		cmocka_unit_test(only_a_back_end_that_knows_vouches_for_checksums),
		cmocka_unit_test(frames_wait_for_buffers_and_come_in_order),
		cmocka_unit_test(a_frame_too_long_for_the_buffer_is_dropped_and_the_buffer_kept),
		cmocka_unit_test(a_long_frame_fills_several_buffers),
		cmocka_unit_test(a_buffer_without_room_for_the_header_breaks_a_rule),
	};

	return cmocka_run_group_tests_name("virtio net", tests, NULL, NULL);
}
