/* Loading classes from shared objects: what is taken, and the message where one is refused. Objects are compiled here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/rig.h"

#define NAME_LEN 256

/* What every source here begins with: a class `name` for an ABI. */
static const char prelude[] =
	"#include <biscuit/module.h>\n"
	"static int create(struct bis_module *m, const struct bis_options *o, void **self)\n"
	"{ (void)o; *self = m; return 0; }\n"
	"static void destroy(void *self) { (void)self; }\n"
	"#define CLASS(id, abi_, name_) static const struct bis_module_class id = {.abi = abi_, \\\n"
	"  .name = name_, .summary = name_, .create = create, .destroy = destroy}\n";

struct objects {
	char dir[32];
	bool compiler; /* is there one? */
};

static const char *path_of(const struct objects *o, const char *name)
{
	static char path[NAME_LEN];

	snprintf(path, sizeof(path), "%s/%s.so", o->dir, name);
	return path;
}

static void compile(const struct objects *o, const char *name, const char *text)
{
	const char *cc = getenv("CC"), *src = getenv("srcdir");
	char source[NAME_LEN], command[4 * NAME_LEN];
	FILE *f;

	snprintf(source, sizeof(source), "%s/%s.c", o->dir, name);
	f = fopen(source, "w");
	assert_non_null(f);
	fprintf(f, "%s%s\n", prelude, text);
	assert_int_equal(fclose(f), 0);
	snprintf(command, sizeof(command), "%s -shared -fPIC -I'%s/include' -o %s %s", cc && *cc ? cc : "cc",
		 src && *src ? src : ".", path_of(o, name), source);
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	static struct objects o;

	o = (struct objects){.dir = "./test_load_module.XXXXXX"};
	o.compiler = system("command -v \"${CC%% *}\" >/dev/null || command -v cc >/dev/null") == 0;
	*state = &o;
	return mkdtemp(o.dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	const struct objects *o = *state;
	char command[NAME_LEN];

	snprintf(command, sizeof(command), "rm -rf '%s'", o->dir);
	return system(command);
}

static size_t count_classes(struct bis_machine *m)
{
	size_t n = 0;

	while (bis_machine_class(m, n))
		n++;
	return n;
}

static void an_object_brings_all_its_classes(void **state)
{
	const struct objects *o = *state;
	struct bis_machine *m = rig_create("rv64", 1);
	size_t before = count_classes(m);

	if (!o->compiler)
		skip();
	compile(o, "good",
		"CLASS(a, BIS_MODULE_ABI, \"first\"); CLASS(b, BIS_MODULE_ABI, \"second\");\n"
		"const struct bis_module_class *const bis_module_classes[] = {&a, &b, NULL};");
	assert_ok(bis_machine_load_module(m, path_of(o, "good")));
	assert_int_equal(count_classes(m), before + 2);
	rig_add(m, "second");
	rig_set32(m, RIG_CODE, SPIN);
	assert_ok(bis_machine_start(m));
	rig_add(m, "first"); /* while it runs */
	assert_fails(bis_machine_load_module(m, path_of(o, "good")), -EEXIST,
		     "there is a module class 'first' already");
	assert_int_equal(count_classes(m), before + 2);
	assert_fails(bis_machine_add(m, "frist", NULL), -ENOENT, "did you mean 'first'?");
	bis_machine_destroy(m);
}

static void what_is_no_module_is_refused(void **state)
{
	static const struct {
		const char *name, *text;
		int err;
		const char *words;
	} bad[] = {
		{"unlisted", "CLASS(a, 1, \"a\"); const void *unused = &a;", -ENOEXEC,
		 "it has no list 'bis_module_classes'"},
		{"hidden",
		 "CLASS(a, 1, \"a\"); __attribute__((visibility(\"hidden\")))\n"
		 "const struct bis_module_class *const bis_module_classes[] = {&a, NULL};",
		 -ENOEXEC, "it has no list 'bis_module_classes'"},
		{"empty", "const struct bis_module_class *const bis_module_classes[] = {NULL};", -ENOEXEC,
		 "not a Biscuit module"},
		{"abi",
		 "CLASS(a, BIS_MODULE_ABI + 1, \"a\");\n"
		 "const struct bis_module_class *const bis_module_classes[] = {&a, NULL};",
		 -ENOEXEC, "module built for ABI 2, this is ABI 1"},
		{"nameless",
		 "CLASS(a, BIS_MODULE_ABI, \"\");\n"
		 "const struct bis_module_class *const bis_module_classes[] = {&a, NULL};",
		 -ENOEXEC, "a module class needs a name, create and destroy"},
		{"lifeless",
		 "static const struct bis_module_class a = {.abi = BIS_MODULE_ABI, .name = \"a\"};\n"
		 "const struct bis_module_class *const bis_module_classes[] = {&a, NULL};\n"
		 "int (*const c)() = create; void (*const d)() = destroy;",
		 -ENOEXEC, "a module class needs a name, create and destroy"},
		{"taken",
		 "CLASS(a, BIS_MODULE_ABI, \"riscv\");\n"
		 "const struct bis_module_class *const bis_module_classes[] = {&a, NULL};",
		 -EEXIST, "there is a module class 'riscv' already"},
		{"unresolved",
		 "CLASS(a, BIS_MODULE_ABI, \"a\"); void no_such_function(void);\n"
		 "const struct bis_module_class *const bis_module_classes[] = {&a, NULL};\n"
		 "void use(void); void use(void) { no_such_function(); }",
		 -ENOENT, "no_such_function"},
	};
	const struct objects *o = *state;
	struct bis_machine *m = rig_create("rv64", 1);
	size_t before = count_classes(m);

	if (!o->compiler)
		skip();
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		compile(o, bad[i].name, bad[i].text);
		assert_fails(bis_machine_load_module(m, path_of(o, bad[i].name)), bad[i].err, bad[i].words);
		assert_non_null(strstr(bis_error_message(), bad[i].name));
		assert_int_equal(count_classes(m), before);
	}
	bis_machine_destroy(m);
}

/* All classes of an object or none: one that is refused takes the others back. */
static void one_bad_class_refuses_the_object(void **state)
{
	const struct objects *o = *state;
	struct bis_machine *m = rig_create("rv64", 1);
	size_t before = count_classes(m);

	if (!o->compiler)
		skip();
	compile(o, "half",
		"CLASS(a, BIS_MODULE_ABI, \"fine\"); CLASS(b, BIS_MODULE_ABI + 6, \"later\");\n"
		"const struct bis_module_class *const bis_module_classes[] = {&a, &b, NULL};");
	assert_fails(bis_machine_load_module(m, path_of(o, "half")), -ENOEXEC, "built for ABI 7");
	assert_int_equal(count_classes(m), before);
	assert_null(bis_machine_find_class(m, "fine"));
	bis_machine_destroy(m);
}

static void a_file_that_is_no_object_is_named(void **state)
{
	const struct objects *o = *state;
	struct bis_machine *m = rig_create("rv64", 1);
	FILE *f = fopen(path_of(o, "text"), "w");

	assert_non_null(f);
	fputs("this is no shared object\n", f);
	assert_int_equal(fclose(f), 0);
	assert_fails(bis_machine_load_module(m, path_of(o, "text")), -ENOENT, "text.so");
	assert_fails(bis_machine_load_module(m, path_of(o, "missing")), -ENOENT, "missing.so");
	assert_fails(bis_machine_load_module(m, o->dir), -ENOENT, "test_load_module");
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_brings_all_its_classes),
		cmocka_unit_test(what_is_no_module_is_refused),
		cmocka_unit_test(one_bad_class_refuses_the_object),
		cmocka_unit_test(a_file_that_is_no_object_is_named),
	};

	return cmocka_run_group_tests_name("load_module", tests, set_up, tear_down);
}
