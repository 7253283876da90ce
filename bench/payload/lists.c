/*
 * List and state-machine work: sorting, searching and reversing a linked list, recognising numbers in a text, and
 * counting the states passed on the way.
 */
#include "../bench.h"

#define NODES	    256
#define TEXT_LENGTH 2048

const uint32_t bench_rounds = 2600 * BENCH_SCALE;

struct node {
	struct node *next;
	int32_t key;
	uint32_t data;
};

enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, SCALE, HEXADECIMAL, INVALID, STATES };

static struct node nodes[NODES];
static char text[TEXT_LENGTH];

static struct node *build_list(uint32_t *seed)
{
	struct node *head = NULL;

	for (uint32_t i = 0; i < NODES; i++) {
		nodes[i].key = (int32_t)(bench_random(seed) & 0xffff) - 0x8000;
		nodes[i].data = i;
		nodes[i].next = head;
		head = &nodes[i];
	}
	return head;
}

static struct node *reverse(struct node *list)
{
	struct node *reversed = NULL;

	while (list) {
		struct node *next = list->next;

		list->next = reversed;
		reversed = list;
		list = next;
	}
	return reversed;
}

static const struct node *find(const struct node *list, int32_t key)
{
	while (list && list->key < key)
		list = list->next;
	return list;
}

static int by_key(const struct node *a, const struct node *b)
{
	return (a->key > b->key) - (a->key < b->key);
}

static int by_data(const struct node *a, const struct node *b)
{
	return (a->data > b->data) - (a->data < b->data);
}

typedef int compare_function(const struct node *a, const struct node *b);

static struct node *merge(struct node *a, struct node *b, compare_function *compare)
{
	struct node *head = NULL, **tail = &head;

	while (a && b) {
		struct node **least = compare(a, b) <= 0 ? &a : &b;

		*tail = *least;
		tail = &(*least)->next;
		*least = (*least)->next;
	}
	*tail = a ? a : b;
	return head;
}

static struct node *sort(struct node *list, uint32_t length, compare_function *compare)
{
	struct node *second, *last = list;

	if (length < 2)
		return list;
	for (uint32_t i = 1; i < length / 2; i++)
		last = last->next;
	second = last->next;
	last->next = NULL;
	return merge(sort(list, length / 2, compare), sort(second, length - length / 2, compare), compare);
}

static uint32_t list_work(uint32_t *seed)
{
	struct node *list = sort(build_list(seed), NODES, by_key);
	uint32_t checksum = 0;

	for (int32_t key = -0x8000; key < 0x8000; key += 0x800) {
		const struct node *found = find(list, key);

		checksum = bench_mix(checksum, found ? found->data : 0);
	}
	list = reverse(sort(reverse(list), NODES, by_data));
	for (const struct node *node = list; node; node = node->next)
		checksum = bench_mix(checksum, (uint32_t)node->key);
	return checksum;
}

/* Words of digits, signs, points and stray letters, separated by commas. */
static void write_text(uint32_t *seed)
{
	static const char letters[] = "0123456789012345678901234567890123456789+-..eEx,,,,,abcdf 7";

	for (uint32_t i = 0; i < TEXT_LENGTH; i++)
		text[i] = letters[bench_random(seed) % (sizeof(letters) - 1)];
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum state next_state(enum state state, char c)
{
	switch (state) {
	case START:
		return c == '+' || c == '-' ? SIGN : c == '.' ? FRACTION : is_digit(c) ? INTEGER : INVALID;
	case SIGN:
		return c == '.' ? FRACTION : is_digit(c) ? INTEGER : INVALID;
	case INTEGER:
		if (c == 'x')
			return HEXADECIMAL;
		return c == '.' ? FRACTION : is_digit(c) ? INTEGER : (c | 32) == 'e' ? EXPONENT : INVALID;
	case FRACTION:
		return is_digit(c) ? FRACTION : (c | 32) == 'e' ? EXPONENT : INVALID;
	case EXPONENT:
		return c == '+' || c == '-' || is_digit(c) ? SCALE : INVALID;
	case SCALE:
		return is_digit(c) ? SCALE : INVALID;
	case HEXADECIMAL:
		return is_digit(c) || (c >= 'a' && c <= 'f') ? HEXADECIMAL : INVALID;
	default:
		return INVALID;
	}
}

static uint32_t state_work(uint32_t *seed)
{
	uint32_t words[STATES] = {0}, steps[STATES] = {0};
	enum state state = START;
	uint32_t checksum = 0;

	write_text(seed);
	for (uint32_t i = 0; i < TEXT_LENGTH; i++) {
		if (text[i] == ',') {
			words[state]++;
			state = START;
			continue;
		}
		state = next_state(state, text[i]);
		steps[state]++;
	}
	for (unsigned i = 0; i < STATES; i++)
		checksum = bench_mix(checksum, words[i] * 65536 + steps[i]);
	return checksum;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 2463534242;

	for (uint32_t round = 0; round < rounds; round++) {
		checksum = bench_mix(checksum, list_work(&seed));
		checksum = bench_mix(checksum, state_work(&seed));
	}
	return checksum;
}
