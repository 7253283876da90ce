/* Output into a file, gathered in a buffer: a task whose `output` is set prints there instead of on the console. */
#include "redirect.h"
#include "files.h"
#include "layout.h"
#include "task.h"
#include <string.h>

struct redirect {
	bool open;
	const char *path;
	uint32_t handle;
	int64_t error; /* what went wrong first; nothing is written after it */
	uint64_t offset;
	size_t used;
	char buffer[PAGE_SIZE];
};

static struct redirect shell_output;

static void flush(struct redirect *r)
{
	for (size_t done = 0; done < r->used && r->error >= 0;) {
		r->error = magicfs_write(r->handle, r->buffer + done, r->used - done, r->offset);
		if (r->error > 0) {
			done += (size_t)r->error;
			r->offset += (uint64_t)r->error;
		}
	}
	r->used = 0;
}

bool redirect_begin(const char *path, bool append)
{
	struct redirect *r = &shell_output;
	uint32_t how = append ? MAGICFS_O_APPEND : MAGICFS_O_TRUNCATE;
	int64_t handle = files_open(path, MAGICFS_O_WRITE | MAGICFS_O_CREATE | how, 0644);

	if (handle < 0) {
		files_complain("crumb", path, handle);
		return false;
	}
	r->open = true;
	r->path = path;
	r->handle = (uint32_t)handle;
	r->error = 0;
	r->offset = r->used = 0;
	current->output = r;
	return true;
}

void redirect_end(void)
{
	struct redirect *r = &shell_output;

	if (!r->open)
		return;
	flush(r);
	r->open = false;
	current->output = NULL;
	magicfs_close(r->handle);
	if (r->error < 0)
		files_complain("crumb", r->path, r->error);
}

void redirect_write(struct redirect *r, const char *text, size_t len)
{
	while (len) {
		size_t part = len < PAGE_SIZE - r->used ? len : PAGE_SIZE - r->used;

		memcpy(r->buffer + r->used, text, part);
		r->used += part;
		text += part;
		len -= part;
		if (r->used == PAGE_SIZE)
			flush(r);
	}
}
