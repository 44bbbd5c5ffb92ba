/* SPDX-License-Identifier: BSD-3-Clause */
/* See yaml_doc.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "text.h"
#include "yaml_doc.h"

struct yaml_doc {
	const char *file;
	yaml_document_t tree;
};

/* Where the check is: the schema bounds its depth, whatever the document holds. */
struct place {
	const struct place *above;
	const char *key;         /* in a mapping; NULL: entry of a sequence */
	unsigned int index;      /* in a sequence */
	const yaml_node_t *node;
};

struct check {
	struct yaml_doc *doc;
	char *errbuf;
	size_t errlen;
};

static yaml_node_t *
get(const struct yaml_doc *doc, int id)
{
	return yaml_document_get_node((yaml_document_t *)&doc->tree, id);
}

static const char *
scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static unsigned int
line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static int
syntax_error(const struct yaml_doc *doc, const yaml_parser_t *parser, char *errbuf, size_t errlen)
{
	bool marked = parser->problem_mark.line > 0 || parser->problem_mark.column > 0;

	snprintf(errbuf, errlen, "%s:%zu: this is not YAML: %s%s%s", doc->file,
		marked ? parser->problem_mark.line + 1 : 1,
		parser->problem != NULL ? parser->problem : "cannot be read",
		parser->context != NULL ? " " : "", parser->context != NULL ? parser->context : "");
	return -EINVAL;
}

/* Whether the stream ends after the first document. */
static int
check_end(const struct yaml_doc *doc, yaml_parser_t *parser, char *errbuf, size_t errlen)
{
	yaml_document_t next;
	yaml_node_t *root;
	int rc = 0;

	if (!yaml_parser_load(parser, &next))
		return syntax_error(doc, parser, errbuf, errlen);
	root = yaml_document_get_root_node(&next);
	if (root != NULL) {
		snprintf(errbuf, errlen, "%s:%u: a second document begins; a configuration is only one",
			doc->file, line_of(root));
		rc = -EINVAL;
	}
	yaml_document_delete(&next);
	return rc;
}

struct yaml_doc *
yaml_doc_parse(const char *file, const char *text, size_t len, char *errbuf, size_t errlen)
{
	struct yaml_doc *doc = calloc(1, sizeof(*doc));
	yaml_parser_t parser;
	int rc;

	if (doc == NULL || !yaml_parser_initialize(&parser)) {
		snprintf(errbuf, errlen, "%s: out of memory", file);
		free(doc);
		return NULL;
	}
	doc->file = file;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &doc->tree)) {
		syntax_error(doc, &parser, errbuf, errlen);
		yaml_parser_delete(&parser);
		free(doc);
		return NULL;
	}
	rc = yaml_document_get_root_node(&doc->tree) == NULL ? 0 :
		check_end(doc, &parser, errbuf, errlen);
	yaml_parser_delete(&parser);
	if (rc != 0) {
		yaml_doc_free(doc);
		return NULL;
	}
	return doc;
}

void
yaml_doc_free(struct yaml_doc *doc)
{
	if (doc == NULL)
		return;
	yaml_document_delete(&doc->tree);
	free(doc);
}

static yaml_node_t *
child(const struct yaml_doc *doc, const yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *pair;

	if (map->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		const char *name = scalar(get(doc, pair->key));

		if (name != NULL && strcmp(name, key) == 0)
			return get(doc, pair->value);
	}
	return NULL;
}

/* "port 'vm1'" or "port 2" for an entry of "ports", "dpdk" for a section, nothing at the top. */
static void
describe(const struct check *check, const struct place *place, char *buf, size_t len)
{
	const yaml_node_t *name;
	const char *list;

	buf[0] = '\0';
	while (place->above != NULL && place->key != NULL && place->node->type == YAML_SCALAR_NODE)
		place = place->above;
	if (place->above == NULL)
		return;
	if (place->key != NULL) {
		snprintf(buf, len, "%s: ", place->key);
		return;
	}
	list = place->above->key != NULL ? place->above->key : "entry ";
	name = child(check->doc, place->node, "name");
	if (name != NULL && scalar(name) != NULL)
		snprintf(buf, len, "%.*s '%.40s': ", (int)strlen(list) - 1, list, scalar(name));
	else
		snprintf(buf, len, "%.*s %u: ", (int)strlen(list) - 1, list, place->index + 1);
}

static int __attribute__((format(printf, 4, 5)))
refuse(const struct check *check, const struct place *place, const yaml_node_t *node,
	const char *fmt, ...)
{
	char about[80];
	size_t used;
	va_list ap;

	describe(check, place, about, sizeof(about));
	used = snprintf(check->errbuf, check->errlen, "%s:%u: %s", check->doc->file, line_of(node),
		about);
	if (used < check->errlen) {
		va_start(ap, fmt);
		vsnprintf(check->errbuf + used, check->errlen - used, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

static int check_value(const struct check *check, const cyaml_schema_value_t *schema,
	const struct place *place);

static int
unknown_key(const struct check *check, const cyaml_schema_value_t *schema,
	const struct place *place, const yaml_node_t *key)
{
	const cyaml_schema_field_t *f;
	const char *names[64];
	char allowed[512], guess[64];
	size_t used = 0;
	size_t n = 0;

	for (f = schema->mapping.fields; f->key != NULL && n < 64; f++) {
		names[n++] = f->key;
		if (used < sizeof(allowed))
			used += snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
				used > 0 ? ", " : "", f->key);
	}
	text_guess(scalar(key), names, n, guess, sizeof(guess));
	return refuse(check, place, key, "unknown key '%.40s'%s; allowed: %s", scalar(key), guess,
		allowed);
}

static int
check_pair(const struct check *check, const cyaml_schema_value_t *schema,
	const struct place *place, const yaml_node_pair_t *pair)
{
	const yaml_node_t *key = get(check->doc, pair->key);
	const cyaml_schema_field_t *f;
	struct place below = { .above = place };
	const yaml_node_pair_t *other;

	if (scalar(key) == NULL)
		return refuse(check, place, key, "a key must be a plain word");
	for (f = schema->mapping.fields; f->key != NULL; f++)
		if (strcmp(f->key, scalar(key)) == 0)
			break;
	if (f->key == NULL)
		return unknown_key(check, schema, place, key);
	for (other = place->node->data.mapping.pairs.start; other < pair; other++)
		if (strcmp(scalar(get(check->doc, other->key)), f->key) == 0)
			return refuse(check, place, key, "key '%s' is there twice, first on line %u",
				f->key, line_of(get(check->doc, other->key)));
	below.key = f->key;
	below.node = get(check->doc, pair->value);
	return check_value(check, &f->value, &below);
}

static int
check_mapping(const struct check *check, const cyaml_schema_value_t *schema,
	const struct place *place)
{
	const cyaml_schema_field_t *f;
	const yaml_node_pair_t *pair;
	int rc;

	if (place->node->type != YAML_MAPPING_NODE)
		return refuse(check, place->key != NULL ? place->above : place, place->node,
			"%s must be keys with values, such as 'key: value'",
			place->key != NULL ? place->key : "this");
	for (pair = place->node->data.mapping.pairs.start;
	     pair < place->node->data.mapping.pairs.top; pair++) {
		rc = check_pair(check, schema, place, pair);
		if (rc != 0)
			return rc;
	}
	for (f = schema->mapping.fields; f->key != NULL; f++)
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) &&
		    child(check->doc, place->node, f->key) == NULL)
			return refuse(check, place, place->node, "key '%s' is missing", f->key);
	return 0;
}

static int
check_sequence(const struct check *check, const cyaml_schema_value_t *schema,
	const struct place *place)
{
	const yaml_node_item_t *item, *start = place->node->data.sequence.items.start;
	struct place below = { .above = place };
	int rc;

	if (place->node->type != YAML_SEQUENCE_NODE)
		return refuse(check, place->above, place->node,
			"%s must be a list: [a, b], or lines that begin with '- '", place->key);
	if (place->node->data.sequence.items.top - start > schema->sequence.max)
		return refuse(check, place->above, place->node,
			"%s has %zd entries; allowed: at most %u", place->key,
			place->node->data.sequence.items.top - start, schema->sequence.max);
	for (item = start; item < place->node->data.sequence.items.top; item++) {
		below.index = item - start;
		below.node = get(check->doc, *item);
		rc = check_value(check, schema->sequence.entry, &below);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
check_value(const struct check *check, const cyaml_schema_value_t *schema,
	const struct place *place)
{
	const yaml_node_t *node = place->node;
	const char *text = scalar(node);

	/* "ports:" with nothing behind it: as if it were not there. */
	if (text != NULL && text[0] == '\0' && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (schema->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL)
		return 0;
	if (schema->type == CYAML_MAPPING)
		return check_mapping(check, schema, place);
	if (schema->type == CYAML_SEQUENCE)
		return check_sequence(check, schema, place);
	if (text == NULL)
		return refuse(check, place->above, node, "%s must be a single value",
			place->key != NULL ? place->key : "an entry");
	if (strlen(text) != node->data.scalar.length)
		return refuse(check, place->above, node, "%s holds a zero byte",
			place->key != NULL ? place->key : "an entry");
	return 0;
}

int
yaml_doc_check(const struct yaml_doc *doc, const cyaml_schema_value_t *schema, char *errbuf,
	size_t errlen)
{
	struct check check = { .doc = (struct yaml_doc *)doc, .errbuf = errbuf, .errlen = errlen };
	struct place place = { .node = yaml_document_get_root_node(&check.doc->tree) };

	return place.node == NULL ? 0 : check_value(&check, schema, &place);
}

unsigned int
yaml_doc_line(const struct yaml_doc *doc, const char *fmt, ...)
{
	const yaml_node_t *node = yaml_document_get_root_node((yaml_document_t *)&doc->tree);
	char path[128], *part, *save = NULL;
	va_list ap;

	if (node == NULL)
		return 1;
	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	for (part = strtok_r(path, "/", &save); part != NULL; part = strtok_r(NULL, "/", &save)) {
		const yaml_node_t *next = child(doc, node, part);

		if (node->type == YAML_SEQUENCE_NODE) {
			const yaml_node_item_t *start = node->data.sequence.items.start;
			long index = strtol(part, NULL, 10);

			if (index < node->data.sequence.items.top - start)
				next = get(doc, start[index]);
		}
		if (next == NULL)
			break;
		node = next;
	}
	return line_of(node);
}
