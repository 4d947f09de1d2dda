// SPDX-License-Identifier: MIT
/* A JSON text that a test expects to be well-formed, and its parts. For tests that are linked with yajl. */
#ifndef HARNESS_TREE_H
#define HARNESS_TREE_H

#include "unit.h"

#include <yajl/yajl_tree.h>

/* yajl_t_any: whatever is there. */
static inline yajl_val tree_member(yajl_val object, const char *name, yajl_type type)
{
	const char *path[] = {name, NULL};
	yajl_val value = yajl_tree_get(object, path, yajl_t_any);

	if (!value || (value->type != type && type != yajl_t_any)) {
		fail_msg("no %s, or another kind", name);
	}
	return value;
}

static inline const char *tree_text(yajl_val object, const char *name)
{
	return tree_member(object, name, yajl_t_string)->u.string;
}

static inline void tree_assert_number(yajl_val object, const char *name, long long expected)
{
	assert_int_equal(YAJL_GET_INTEGER(tree_member(object, name, yajl_t_number)), expected);
}

/* The caller frees it by yajl_tree_free(). */
static inline yajl_val tree_parse(const char *text)
{
	char problem[1024];
	yajl_val tree = yajl_tree_parse(text, problem, sizeof(problem));

	if (!tree) {
		fail_msg("%s in %s", problem, text);
	}
	return tree;
}

#endif
