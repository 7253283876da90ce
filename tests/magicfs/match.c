/* Compares answers with what is expected. */
#include "match.h"
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"EPERM", EPERM},
	{"ENOENT", ENOENT},
	{"EIO", EIO},
	{"ENXIO", ENXIO},
	{"EBADF", EBADF},
	{"EAGAIN", EAGAIN},
	{"EACCES", EACCES},
	{"EFAULT", EFAULT},
	{"EBUSY", EBUSY},
	{"EEXIST", EEXIST},
	{"EXDEV", EXDEV},
	{"ENODEV", ENODEV},
	{"ENOTDIR", ENOTDIR},
	{"EISDIR", EISDIR},
	{"EINVAL", EINVAL},
	{"EMFILE", EMFILE},
	{"ENFILE", ENFILE},
	{"EFBIG", EFBIG},
	{"ENOSPC", ENOSPC},
	{"EROFS", EROFS},
	{"EMLINK", EMLINK},
	{"ERANGE", ERANGE},
	{"ENAMETOOLONG", ENAMETOOLONG},
	{"ENOSYS", ENOSYS},
	{"ENOTEMPTY", ENOTEMPTY},
	{"ELOOP", ELOOP},
	{"ENODATA", ENODATA},
	{"EOPNOTSUPP", EOPNOTSUPP},
	{"ESTALE", ESTALE},
	{"ETXTBSY", ETXTBSY},
	{"EINTR", EINTR},
	{"E2BIG", E2BIG},
	{"EOVERFLOW", EOVERFLOW},
};

const char *error_name(long long error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == error)
			return errors[i].name;
	return NULL;
}

static const struct value *find(const struct answer *a, const char *key, size_t len)
{
	for (size_t i = 0; i < a->count; i++)
		if (strlen(a->values[i].key) == len && !strncmp(a->values[i].key, key, len))
			return &a->values[i];
	return NULL;
}

static bool match_data(const struct answer *a, const char *bytes, size_t len)
{
	const struct value *data = find(a, "data", 4), *hash = find(a, "hash", 4);

	if (data)
		return data->len == len && !memcmp(data->bytes, bytes, len);
	return hash && a->result == (long long)len &&
	       strtoull(hash->bytes, NULL, 16) == hash_bytes(HASH_START, bytes, len);
}

/* --- Names --- */

static bool answer_has(const struct answer *a, const struct word *name)
{
	for (size_t i = 0; i < a->count; i++)
		if (!strcmp(a->values[i].key, "item") && a->values[i].len == name->len &&
		    !memcmp(a->values[i].bytes, name->bytes, name->len))
			return true;
	return false;
}

static bool ends(const struct word *word)
{
	return !word || (!word->quoted && !strcmp(word->bytes, "|"));
}

/* All of these names, and no other: `names`; all of these: `has`; none of these: `lacks`. */
static bool match_names(const struct answer *a, const char *how, const struct word *name)
{
	size_t count = 0, items = 0;
	bool good = true;

	for (; !ends(name); name = name->next, count++)
		good &= answer_has(a, name) == (*how != 'l');
	for (size_t i = 0; i < a->count; i++)
		items += !strcmp(a->values[i].key, "item");
	return good && (*how != 'n' || items == count);
}

/* --- Fields --- */

static const char *keep(struct kept *kept, const char *name, const char *value)
{
	for (size_t i = 0; i < kept->count; i++)
		if (!strcmp(kept->values[i].name, name))
			return kept->values[i].value;
	if (kept->count == KEPT_MAX)
		return "too many are kept";
	kept->values[kept->count].name = strdup(name);
	kept->values[kept->count].value = strdup(value);
	return kept->values[kept->count++].value;
}

void kept_free(struct kept *kept)
{
	while (kept->count) {
		kept->count--;
		free(kept->values[kept->count].name);
		free(kept->values[kept->count].value);
	}
}

/* -1, 0, 1; as numbers where both are. */
static int compare(const char *got, const char *expected)
{
	char *got_end, *expected_end;
	long long a = strtoll(got, &got_end, 0), b = strtoll(expected, &expected_end, 0);

	if (*got && *expected && !*got_end && !*expected_end)
		return a < b ? -1 : a > b;
	return strcmp(got, expected) < 0 ? -1 : strcmp(got, expected) > 0;
}

static bool match_field(const struct answer *a, const struct word *word, struct kept *kept)
{
	size_t key = strcspn(word->bytes, "=!<>");
	char how = word->bytes[key];
	const char *wanted = word->bytes + key + (how == '!' ? 2 : 1);
	const struct value *got = find(a, word->bytes, key);

	if (!strncmp(word->bytes, "data=", 5))
		return match_data(a, wanted, word->len - 5);
	if (!got)
		return false;
	if (*wanted == ':')
		wanted = keep(kept, wanted, got->bytes);
	switch (how) {
	case '=':
		return compare(got->bytes, wanted) == 0;
	case '!':
		return compare(got->bytes, wanted) != 0;
	case '<':
		return compare(got->bytes, wanted) < 0;
	default:
		return compare(got->bytes, wanted) > 0;
	}
}

/* --- One of the alternatives --- */

static bool match_one(const struct answer *a, const struct word *w, struct kept *kept)
{
	if (!w->quoted && w->bytes[0] == 'E')
		return a->result < 0 && error_name(-a->result) && !strcmp(w->bytes, error_name(-a->result));
	if (a->result < 0)
		return false;
	if (w->quoted)
		return match_data(a, w->bytes, w->len);
	if (isdigit((unsigned char)w->bytes[0]))
		return a->result == strtoll(w->bytes, NULL, 0);
	if (!strcmp(w->bytes, "ok"))
		return true;
	if (!strcmp(w->bytes, "names") || !strcmp(w->bytes, "has") || !strcmp(w->bytes, "lacks"))
		return match_names(a, w->bytes, w->next);
	for (; !ends(w); w = w->next)
		if (!match_field(a, w, kept))
			return false;
	return true;
}

bool match(const struct answer *answer, const struct word *expected, struct kept *kept)
{
	if (!expected)
		return answer->result >= 0 && answer->line[1] != '?';
	while (expected) {
		if (match_one(answer, expected, kept))
			return true;
		while (!ends(expected))
			expected = expected->next;
		expected = expected ? expected->next : NULL;
	}
	return false;
}
