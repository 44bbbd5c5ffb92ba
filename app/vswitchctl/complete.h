/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Completion of a command line that is being typed. */
#ifndef VSWITCHCTL_COMPLETE_H
#define VSWITCHCTL_COMPLETE_H

#include "cmd.h"

/**
 * Prints what the last word may become, a line each; the line "<file>" stands for names of files. Names of
 * ports and bridges come from the daemon, if it answers within a second.
 *
 * @param words  all behind the program's name, the last one unfinished or empty
 */
enum cmd_status complete_words(int nb_words, char *const *words);

#endif /* VSWITCHCTL_COMPLETE_H */
