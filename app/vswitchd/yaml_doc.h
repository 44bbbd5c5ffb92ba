/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The tree of a YAML document with its line numbers. libcyaml loads a document into structures, but
 * its messages give the line of the previous value and do not tell what is allowed; so the
 * document's shape is checked against the same schema here first, and values that are refused later
 * find their line here.
 */
#ifndef VSWITCHD_YAML_DOC_H
#define VSWITCHD_YAML_DOC_H

#include <stddef.h>

#include <cyaml/cyaml.h>

struct yaml_doc;

/**
 * Parses the one document of a text.
 *
 * @param file  name for messages; must outlive the document
 * @return the document, which may be empty, or NULL with "FILE:LINE: what is wrong"
 */
struct yaml_doc *yaml_doc_parse(const char *file, const char *text, size_t len, char *errbuf,
	size_t errlen);
void yaml_doc_free(struct yaml_doc *doc);

/**
 * Checks that mappings, sequences and values are where @p schema wants them, keys are known and
 * none is missing or there twice. Understands the types mapping, sequence and string.
 *
 * @return 0, or -EINVAL with "FILE:LINE: what is wrong; allowed: ..."
 */
int yaml_doc_check(const struct yaml_doc *doc, const cyaml_schema_value_t *schema, char *errbuf,
	size_t errlen);

/**
 * Line of a value, given its path: keys and indices separated by '/', such as "ports/3/mac". What
 * is not in the document has the line of what would hold it.
 */
unsigned int yaml_doc_line(const struct yaml_doc *doc, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* VSWITCHD_YAML_DOC_H */
