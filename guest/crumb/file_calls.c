/*
 * System calls on files. What a program calls file 3, 4, ... is a place in its task's table, which has MagicFS's handle
 * and how far the program has got.
 *
 * User memory is reached through copies, as everywhere; so a piece at a time goes through a buffer of the kernel.
 * Errors are those of MagicFS.
 */
#include "file_calls.h"
#include "directory.h"
#include "files.h"
#include "pages.h"
#include "space.h"
#include "system_calls.h"
#include "task.h"
#include <string.h>

#define PIECE 1024UL

static struct open_file *file_of(unsigned long number)
{
	unsigned long at = number - FIRST_FILE;

	return at < TASK_FILES && current->files[at].used ? &current->files[at] : NULL;
}

/* The path that a program names. */
static int64_t copy_path(char path[PATH_SIZE], unsigned long address, unsigned long len)
{
	if (len >= PATH_SIZE)
		return -MAGICFS_ENAMETOOLONG;
	path[len] = '\0';
	return space_copy_in(&current->space, path, address, len) ? 0 : -MAGICFS_EFAULT;
}

long call_open(const unsigned long *arguments)
{
	char path[PATH_SIZE];
	int64_t result = copy_path(path, arguments[0], arguments[1]);

	if (result)
		return (long)result;
	for (unsigned i = 0; i < TASK_FILES; i++) {
		struct open_file *file = &current->files[i];

		if (file->used)
			continue;
		result = files_open(path, (uint32_t)arguments[2], 0644);
		if (result < 0)
			return (long)result;
		*file = (struct open_file){.used = true, .handle = (uint32_t)result};
		return FIRST_FILE + (long)i;
	}
	return -MAGICFS_EMFILE;
}

long call_close(const unsigned long *arguments)
{
	struct open_file *file = file_of(arguments[0]);

	if (!file)
		return -MAGICFS_EBADF;
	file->used = false;
	return (long)magicfs_close(file->handle);
}

void close_files(void)
{
	for (unsigned i = 0; i < TASK_FILES; i++) {
		if (current->files[i].used)
			magicfs_close(current->files[i].handle);
		current->files[i].used = false;
	}
}

long call_read(const unsigned long *arguments)
{
	struct open_file *file = file_of(arguments[0]);
	unsigned long address = arguments[1], len = arguments[2], done = 0;
	char piece[PIECE];

	if (!file)
		return -MAGICFS_EBADF;
	while (done < len) {
		unsigned long part = len - done < PIECE ? len - done : PIECE;
		int64_t got = magicfs_read(file->handle, piece, part, file->offset);

		if (got <= 0)
			return done ? (long)done : (long)got;
		if (!space_copy_out(&current->space, address + done, piece, (size_t)got))
			return -MAGICFS_EFAULT;
		file->offset += (uint64_t)got;
		done += (unsigned long)got;
	}
	return (long)done;
}

long call_file_write(const unsigned long *arguments)
{
	struct open_file *file = file_of(arguments[0]);
	unsigned long address = arguments[1], len = arguments[2], done = 0;
	char piece[PIECE];

	if (!file)
		return -MAGICFS_EBADF;
	while (done < len) {
		unsigned long part = len - done < PIECE ? len - done : PIECE;
		int64_t put;

		if (!space_copy_in(&current->space, piece, address + done, part))
			return -MAGICFS_EFAULT;
		put = magicfs_write(file->handle, piece, part, file->offset);
		if (put <= 0)
			return done ? (long)done : (long)put;
		file->offset += (uint64_t)put;
		done += (unsigned long)put;
	}
	return (long)done;
}

/* As many names as fit; the directory's cursor stays behind the last of them. */
static int64_t copy_names(struct directory *d, struct open_file *file, unsigned long address, unsigned long len)
{
	const struct magicfs_entry *entry;
	unsigned long done = 0;

	d->list.cursor = file->offset;
	while ((entry = directory_next(d)) != NULL) {
		unsigned long size = entry->name_len + 1UL;

		if (size > len - done)
			return done ? (int64_t)done : -MAGICFS_EINVAL;
		if (!space_copy_out(&current->space, address + done, magicfs_entry_name(entry), size))
			return -MAGICFS_EFAULT;
		done += size;
		file->offset = entry->cursor;
	}
	return d->error ? d->error : (int64_t)done;
}

long call_list(const unsigned long *arguments)
{
	struct open_file *file = file_of(arguments[0]);
	struct directory d;
	int64_t result;

	if (!file)
		return -MAGICFS_EBADF;
	result = directory_begin(&d, file->handle, 0);
	if (!result) {
		result = copy_names(&d, file, arguments[1], arguments[2]);
		page_free(d.list.buffer);
	}
	return (long)result;
}

long call_stat(const unsigned long *arguments)
{
	struct file_status status;
	struct magicfs_stat stat;
	char path[PATH_SIZE];
	int64_t error = copy_path(path, arguments[0], arguments[1]);

	if (!error)
		error = files_stat(path, true, &stat);
	if (error)
		return (long)error;
	memset(&status, 0, sizeof(status));
	status.size = stat.size;
	status.modified = stat.mtime;
	status.mode = stat.mode;
	return space_copy_out(&current->space, arguments[2], &status, sizeof(status)) ? 0 : -MAGICFS_EFAULT;
}
