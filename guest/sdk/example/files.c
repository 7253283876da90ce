/* A file system in 30 lines: all that a kernel's system calls on files come down to with MagicFS. */
#include <magicfs.h>
#include <stdio.h>
#include <string.h>

static struct file {
	bool open;
	uint32_t handle;
	uint64_t offset;
} files[16];

static struct file *file_of(unsigned fd)
{
	return fd < 16 && files[fd].open ? &files[fd] : NULL;
}

static long sys_open(const char *path, uint32_t flags, uint32_t mode)
{
	for (int fd = 0; fd < 16; fd++) {
		int64_t handle = files[fd].open ? -MAGICFS_EMFILE : magicfs_open(0, path, flags, mode);

		if (handle >= 0)
			files[fd] = (struct file){true, (uint32_t)handle, 0};
		if (handle != -MAGICFS_EMFILE)
			return handle < 0 ? (long)handle : fd;
	}
	return -MAGICFS_EMFILE;
}

static long sys_read(unsigned fd, void *buffer, size_t len)
{
	struct file *f = file_of(fd);
	int64_t got = f ? magicfs_read(f->handle, buffer, len, f->offset) : -MAGICFS_EBADF;

	if (got > 0)
		f->offset += (uint64_t)got;
	return (long)got;
}

static long sys_write(unsigned fd, const void *buffer, size_t len)
{
	struct file *f = file_of(fd);
	int64_t put = f ? magicfs_write(f->handle, buffer, len, f->offset) : -MAGICFS_EBADF;

	if (put > 0)
		f->offset += (uint64_t)put;
	return (long)put;
}

static long sys_close(unsigned fd)
{
	struct file *f = file_of(fd);

	if (!f)
		return -MAGICFS_EBADF;
	f->open = false;
	return (long)magicfs_close(f->handle);
}

/* What a program would do with these calls; then the directory, as `ls -l` shows it. */
int main(void)
{
	static uint64_t buffer[1024];
	struct magicfs_list list = {.flags = MAGICFS_ATTRIBUTES, .buffer = buffer, .size = sizeof(buffer)};
	const struct magicfs_entry *entry;
	static char text[64] = "hello, host\n";
	long fd = sys_open("greeting", MAGICFS_O_WRITE | MAGICFS_O_CREATE | MAGICFS_O_TRUNCATE, 0644);

	if (fd < 0 || sys_write((unsigned)fd, text, strlen(text)) < 0 || sys_close((unsigned)fd) < 0) {
		printf("cannot write greeting: error %ld\n", -fd);
		return 1;
	}
	fd = sys_open("greeting", MAGICFS_O_READ, 0);
	for (long got; (got = sys_read((unsigned)fd, text, sizeof(text) - 1)) > 0;) {
		text[got] = '\0';
		printf("%s", text);
	}
	sys_close((unsigned)fd);
	while ((entry = magicfs_list(&list)))
		printf("%6o %8lu %s\n", (unsigned)magicfs_entry_stat(entry)->mode,
		       (unsigned long)magicfs_entry_stat(entry)->size, magicfs_entry_name(entry));
	return list.error < 0;
}
