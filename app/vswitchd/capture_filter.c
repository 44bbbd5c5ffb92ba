/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "capture_filter.h"

#define TAG_LEN 4
#define MACS_LEN 12
#define ETHER_HEADER_LEN 14
#define TPID_8021Q 0x8100

struct capture_filter {
	struct bpf_program program;
	uint32_t reach; /* looks at no byte from here on; UINT32_MAX: cannot be told */
};

/* The largest value that a program can have in its index register. */
static uint32_t
index_max(const struct bpf_program *program)
{
	uint32_t max = 0;

	for (uint32_t i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];

		if (BPF_CLASS(insn->code) == BPF_MISC && BPF_MISCOP(insn->code) == BPF_TAX)
			return UINT32_MAX;
		if (BPF_CLASS(insn->code) != BPF_LDX)
			continue;
		if (BPF_MODE(insn->code) == BPF_MSH) /* four times four bits of the packet */
			max = max > 60 ? max : 60;
		else if (BPF_MODE(insn->code) == BPF_IMM)
			max = max > insn->k ? max : insn->k;
		else
			return UINT32_MAX;
	}
	return max;
}

static uint32_t
load_size(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* How far into a packet a program looks. */
static uint32_t
program_reach(const struct bpf_program *program)
{
	const uint32_t x_max = index_max(program);
	uint64_t reach = 0;

	for (uint32_t i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];
		uint64_t end = 0;

		if (BPF_CLASS(insn->code) == BPF_LD && BPF_MODE(insn->code) == BPF_ABS)
			end = (uint64_t)insn->k + load_size(insn->code);
		else if (BPF_CLASS(insn->code) == BPF_LD && BPF_MODE(insn->code) == BPF_IND)
			end = (uint64_t)insn->k + x_max + load_size(insn->code);
		else if (BPF_CLASS(insn->code) == BPF_LDX && BPF_MODE(insn->code) == BPF_MSH)
			end = (uint64_t)insn->k + 1;
		reach = reach > end ? reach : end;
	}
	return reach > UINT32_MAX ? UINT32_MAX : (uint32_t)reach;
}

/* "protochain" compiles to a loop over what a guest wrote: nothing for a polling core. */
static bool
has_loop(const struct bpf_program *program)
{
	for (uint32_t i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];

		if (BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) == BPF_JA &&
		    (int32_t)insn->k < 0)
			return true;
	}
	return false;
}

static int
compile(struct capture_filter *filter, const char *expression, struct error *err)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, OFFLOAD_FRAME_MAX);
	int ret = 0;

	if (!pcap)
		return error_set(err, -ENOMEM, "no memory to compile the filter");
	if (pcap_compile(pcap, &filter->program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
		ret = error_set(err, -EINVAL, "filter '%.100s': %s; see man pcap-filter", expression,
			pcap_geterr(pcap));
	pcap_close(pcap);
	return ret;
}

int
capture_filter_create(const char *expression, struct capture_filter **filter, struct error *err)
{
	struct capture_filter *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return error_set(err, -ENOMEM, "no memory to compile the filter");
	ret = compile(made, expression, err);
	if (ret < 0) {
		free(made);
		return ret;
	}
	if (has_loop(&made->program)) {
		capture_filter_destroy(made);
		return error_set(err, -EINVAL,
			"filter '%.100s': loops over headers (protochain) are not supported", expression);
	}
	made->reach = program_reach(&made->program);
	*filter = made;
	return 0;
}

void
capture_filter_destroy(struct capture_filter *filter)
{
	if (!filter)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

static bool
has_tag(const struct offload_frame *f)
{
	return (f->flags & OFFLOAD_F_VLAN) && f->seg[0].len >= ETHER_HEADER_LEN;
}

uint32_t
capture_frame_len(const struct offload_frame *f)
{
	return f->len + (has_tag(f) ? TAG_LEN : 0);
}

/* Copies @p len bytes of the frame as it is in its segments, from byte @p at on. */
static void
copy_segs(const struct offload_frame *f, uint32_t at, uint8_t *to, uint32_t len)
{
	for (uint16_t i = 0; i < f->nb_segs && len > 0; i++) {
		const struct offload_seg *seg = &f->seg[i];
		uint32_t part;

		if (at >= seg->len) {
			at -= seg->len;
			continue;
		}
		part = seg->len - at < len ? seg->len - at : len;
		memcpy(to, seg->data + at, part);
		to += part;
		len -= part;
		at = 0;
	}
}

void
capture_frame_copy(const struct offload_frame *f, uint8_t *to, uint32_t len)
{
	const uint8_t tag[TAG_LEN] = {TPID_8021Q >> 8, TPID_8021Q & 0xff, (uint8_t)(f->vlan_tci >> 8),
		(uint8_t)f->vlan_tci};
	uint32_t part;

	if (!has_tag(f) || len <= MACS_LEN) {
		copy_segs(f, 0, to, len);
		return;
	}
	memcpy(to, f->seg[0].data, MACS_LEN);
	part = len - MACS_LEN < TAG_LEN ? len - MACS_LEN : TAG_LEN;
	memcpy(to + MACS_LEN, tag, part);
	copy_segs(f, MACS_LEN, to + MACS_LEN + part, len - MACS_LEN - part);
}

bool
capture_filter_match(const struct capture_filter *filter, const struct offload_frame *f)
{
	const uint32_t len = capture_frame_len(f);
	const uint32_t need = filter->reach < len ? filter->reach : len;
	uint8_t linear[OFFLOAD_FRAME_MAX];

	/* Mostly the filter looks at headers only, and those are linear already. */
	if (!has_tag(f) && need <= f->seg[0].len)
		return bpf_filter(filter->program.bf_insns, f->seg[0].data, len, f->seg[0].len) != 0;
	if (need > sizeof(linear))
		return false; /* longer than a frame can be */
	capture_frame_copy(f, linear, need);
	return bpf_filter(filter->program.bf_insns, linear, len, need) != 0;
}
