/*
 * Channels: order, bounds, closing, and both ends on different threads. Threads meet through the channel itself or
 * through joins; a test never sleeps to wait for another thread.
 */
#include <pthread.h>
#include <stdlib.h>

#include <biscuit/channel.h>

#include "tests/unit/unit.h"

#define DEPTH 4

struct pair {
	struct bis_channel *a, *b;
};

static int make_pair(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	*state = p;
	return bis_channel_create(sizeof(int), DEPTH, &p->a, &p->b);
}

static int free_pair(void **state)
{
	struct pair *p = *state;

	bis_channel_destroy(p->a);
	bis_channel_destroy(p->b);
	free(p);
	return 0;
}

static void messages_arrive_in_order_both_ways(void **state)
{
	struct pair *p = *state;
	int got;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < DEPTH; i++) {
			assert_ok(bis_channel_send(p->a, &(int){i}, 0));
			assert_ok(bis_channel_send(p->b, &(int){100 + i}, 0));
		}
		assert_int_equal(bis_channel_pending(p->b), DEPTH);
		for (int i = 0; i < DEPTH; i++) {
			assert_ok(bis_channel_recv(p->b, &got, BIS_CHANNEL_FOREVER));
			assert_int_equal(got, i);
			assert_ok(bis_channel_try_recv(p->a, &got));
			assert_int_equal(got, 100 + i);
		}
		assert_int_equal(bis_channel_pending(p->b), 0);
	}
}

static void full_and_empty_do_not_wait_unless_asked(void **state)
{
	struct pair *p = *state;
	int got = 7;

	assert_fails(bis_channel_try_recv(p->b, &got), -EAGAIN, "channel");
	assert_fails(bis_channel_recv(p->b, &got, 1), -ETIMEDOUT, "timed out");
	assert_int_equal(got, 7);
	for (int i = 0; i < DEPTH; i++)
		assert_ok(bis_channel_send(p->a, &i, 0));
	assert_fails(bis_channel_send(p->a, &(int){9}, 0), -EAGAIN, "channel");
	assert_fails(bis_channel_send(p->a, &(int){9}, 1), -ETIMEDOUT, "timed out");
	assert_int_equal(bis_channel_pending(p->b), DEPTH);
}

static void closing_lets_the_queue_drain(void **state)
{
	struct pair *p = *state;
	int got;

	assert_ok(bis_channel_send(p->a, &(int){1}, 0));
	assert_ok(bis_channel_send(p->b, &(int){2}, 0));
	bis_channel_close(p->a);
	bis_channel_close(p->a);
	assert_fails(bis_channel_send(p->a, &(int){3}, BIS_CHANNEL_FOREVER), -EPIPE, "closed");
	assert_fails(bis_channel_send(p->b, &(int){3}, BIS_CHANNEL_FOREVER), -EPIPE, "closed");
	assert_ok(bis_channel_recv(p->b, &got, BIS_CHANNEL_FOREVER));
	assert_int_equal(got, 1);
	assert_ok(bis_channel_recv(p->a, &got, BIS_CHANNEL_FOREVER));
	assert_int_equal(got, 2);
	assert_fails(bis_channel_recv(p->a, &got, BIS_CHANNEL_FOREVER), -EPIPE, "closed");
	assert_fails(bis_channel_try_recv(p->b, &got), -EPIPE, "closed");
}

static void destroying_an_end_closes_it_for_the_other(void **state)
{
	struct pair *p = *state;
	int got;

	assert_ok(bis_channel_send(p->a, &(int){5}, 0));
	bis_channel_destroy(p->a);
	p->a = NULL;
	assert_ok(bis_channel_recv(p->b, &got, 0));
	assert_int_equal(got, 5);
	assert_fails(bis_channel_recv(p->b, &got, 0), -EPIPE, "closed");
	assert_fails(bis_channel_query(p->b, &(int){1}, &got, BIS_CHANNEL_FOREVER), -EPIPE, "closed");
}

static void hostile_sizes_are_refused(void **state)
{
	struct bis_channel *a = NULL, *b = NULL;

	(void)state;
	assert_fails(bis_channel_create(0, 1, &a, &b), -EINVAL, "must not be 0");
	assert_fails(bis_channel_create(1, 0, &a, &b), -EINVAL, "must not be 0");
	assert_fails(bis_channel_create(SIZE_MAX / 2, 3, &a, &b), -ENOMEM, "no memory");
	assert_null(a);
	assert_null(b);
}

struct visits {
	struct bis_channel *end;
	int count, sum, stop_at;
};

static int visit(void *arg, const void *message)
{
	struct visits *v = arg;
	int value;

	memcpy(&value, message, sizeof(value));
	v->count++;
	v->sum = v->sum * 10 + value;
	if (v->end)
		assert_ok(bis_channel_send(v->end, message, 0));
	return v->count == v->stop_at ? 77 : 0;
}

static void iterate_takes_what_waits_and_can_stop(void **state)
{
	struct pair *p = *state;
	struct visits v = {.stop_at = 2};

	assert_int_equal(bis_channel_iterate(p->b, visit, &v), 0);
	for (int i = 1; i <= 4; i++)
		assert_ok(bis_channel_send(p->a, &i, 0));
	assert_int_equal(bis_channel_iterate(p->b, visit, &v), 77);
	assert_int_equal(v.sum, 12);
	assert_int_equal(bis_channel_pending(p->b), 2);

	/* A message sent from inside a visit waits for the next iteration. */
	v = (struct visits){.end = p->a};
	assert_int_equal(bis_channel_iterate(p->b, visit, &v), 0);
	assert_int_equal(v.sum, 34);
	assert_int_equal(bis_channel_pending(p->b), 2);
}

/* Answers each request with its double until the channel closes. */
static void *doubler(void *arg)
{
	struct bis_channel *end = arg;
	int value;

	while (bis_channel_recv(end, &value, BIS_CHANNEL_FOREVER) == 0) {
		value *= 2;
		if (bis_channel_send(end, &value, BIS_CHANNEL_FOREVER))
			break;
	}
	return NULL;
}

static void query_gets_its_answer_from_another_thread(void **state)
{
	struct pair *p = *state;
	pthread_t thread;
	int reply;

	assert_int_equal(pthread_create(&thread, NULL, doubler, p->b), 0);
	for (int i = 0; i < 200; i++) {
		assert_ok(bis_channel_query(p->a, &i, &reply, BIS_CHANNEL_FOREVER));
		assert_int_equal(reply, 2 * i);
	}
	bis_channel_close(p->a);
	pthread_join(thread, NULL);
	assert_fails(bis_channel_query(p->a, &(int){1}, &reply, 1000), -EPIPE, "closed");
}

static void query_without_an_answer_times_out(void **state)
{
	struct pair *p = *state;
	int reply = 3;

	assert_fails(bis_channel_query(p->a, &(int){1}, &reply, 1), -ETIMEDOUT, "timed out");
	assert_int_equal(reply, 3);
	assert_int_equal(bis_channel_pending(p->b), 1);
}

#define SENDERS	   3
#define PER_SENDER 4000

struct sender {
	struct bis_channel *end;
	int first;
};

static void *send_many(void *arg)
{
	struct sender *s = arg;
	long failures = 0;

	for (int i = 0; i < PER_SENDER; i++)
		failures += bis_channel_send(s->end, &(int){s->first + i}, BIS_CHANNEL_FOREVER) != 0;
	return (void *)failures;
}

static void many_senders_lose_nothing_and_keep_their_order(void **state)
{
	struct pair *p = *state;
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	int next[SENDERS] = {0}, got;
	void *failures;

	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){p->a, i * PER_SENDER};
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
	}
	for (int i = 0; i < SENDERS * PER_SENDER; i++) {
		assert_ok(bis_channel_recv(p->b, &got, BIS_CHANNEL_FOREVER));
		assert_in_range(got, 0, SENDERS * PER_SENDER - 1);
		assert_int_equal(got % PER_SENDER, next[got / PER_SENDER]++);
	}
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], &failures);
		assert_null(failures);
	}
	assert_int_equal(bis_channel_pending(p->b), 0);
}

/* Says that it is there, then waits for a message that never comes; the result is what the wait returned. */
static void *wait_for_message(void *arg)
{
	struct bis_channel *end = arg;
	int value = 1;

	if (bis_channel_send(end, &value, BIS_CHANNEL_FOREVER))
		return (void *)1L;
	return (void *)(long)bis_channel_recv(end, &value, BIS_CHANNEL_FOREVER);
}

static void closing_wakes_a_waiting_receiver(void **state)
{
	struct pair *p = *state;
	pthread_t thread;
	void *result;
	int hello;

	assert_int_equal(pthread_create(&thread, NULL, wait_for_message, p->b), 0);
	assert_ok(bis_channel_recv(p->a, &hello, BIS_CHANNEL_FOREVER));
	bis_channel_close(p->a);
	pthread_join(thread, &result);
	assert_int_equal((long)result, -EPIPE);
}

static void *send_until_closed(void *arg)
{
	int err = 0;

	for (int i = 0; !err; i++)
		err = bis_channel_send(arg, &i, BIS_CHANNEL_FOREVER);
	return (void *)(long)err;
}

static void closing_wakes_a_waiting_sender(void **state)
{
	struct pair *p = *state;
	pthread_t thread;
	void *result;
	int got;

	assert_int_equal(pthread_create(&thread, NULL, send_until_closed, p->a), 0);
	for (int i = 0; i < 10 * DEPTH; i++)
		assert_ok(bis_channel_recv(p->b, &got, BIS_CHANNEL_FOREVER));
	bis_channel_close(p->b);
	pthread_join(thread, &result);
	assert_int_equal((long)result, -EPIPE);
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, make_pair, free_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(messages_arrive_in_order_both_ways),
		PAIR_TEST(full_and_empty_do_not_wait_unless_asked),
		PAIR_TEST(closing_lets_the_queue_drain),
		PAIR_TEST(destroying_an_end_closes_it_for_the_other),
		cmocka_unit_test(hostile_sizes_are_refused),
		PAIR_TEST(iterate_takes_what_waits_and_can_stop),
		PAIR_TEST(query_gets_its_answer_from_another_thread),
		PAIR_TEST(query_without_an_answer_times_out),
		PAIR_TEST(many_senders_lose_nothing_and_keep_their_order),
		PAIR_TEST(closing_wakes_a_waiting_receiver),
		PAIR_TEST(closing_wakes_a_waiting_sender),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
