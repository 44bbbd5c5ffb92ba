/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device core under a hostile guest: registers, PCI configuration, shared memory, rings, memory
 * that comes and goes, and a datapath in between, as one thread can show it.
 *
 * The input is a program: an operation code and its arguments, one after the other (see the table
 * at the end; a missing byte reads as 0). Guest memory is NB_PAGES pages, each a mapping of its
 * own, and one page that may only be read.
 *
 * A control function may come while a burst is open. Its quiesce ends the burst, as a polling core
 * would.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dev_intr.h>
#include <dev_pci.h>

#include "must.h"

#define PAGE      4096u
#define NB_PAGES  48u
#define RAM_BYTES (NB_PAGES * PAGE)
#define IOVA      UINT64_C(0x140000000)
#define RO_IOVA   (IOVA + RAM_BYTES + PAGE) /* a hole before it */
#define RO_BYTE   0x5c

/* Guest memory */
#define AT_SHARED  0x0000u
#define AT_ARGS    0x0400u
#define AT_QUEUES  0x1000u
#define AT_RINGS   0x6000u
#define AT_BUFFERS 0x18000u
#define MAX_QUEUES 12u /* that have rings of their own; further ones share */

#define INPUT_MAX 4096u

struct ring {
	uint32_t at, size, next, gen;
};

static struct vmxnet3_dev *dev;
static struct vfu_dma *dma;
static struct vmxnet3_burst *burst;
static int ram_fd;
static uint8_t *ram;
static uint64_t now;
static struct {
	uint32_t prot; /* 0: not mapped */
	uint32_t file_page;
} mapped[NB_PAGES];
static bool attached;

/* The open burst */
static struct offload_frame *frames;
static uint16_t nb_frames, burst_queue;

/* The driver's side of the rings */
static struct ring tx_ring[MAX_QUEUES], rx_ring[MAX_QUEUES][2];

static const uint8_t *in;
static size_t in_left;

static uint8_t
byte(void)
{
	if (in_left == 0)
		return 0;
	in_left--;
	return *in++;
}

static uint32_t
word(unsigned int bytes)
{
	uint32_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | byte();
	return v;
}

static void
end_burst(void)
{
	if (nb_frames == 0)
		return;
	nb_frames = 0;
	vmxnet3_dev_tx_end(dev, burst_queue, burst);
}

static void
on_quiesce(void *ctx)
{
	(void)ctx;
	end_burst();
}

static uint64_t
on_now(void *ctx)
{
	(void)ctx;
	return now;
}

static void
on_log(void *ctx, enum vmxnet3_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	MUST(strncmp(line, "fuzz: ", 6) == 0);
}

static void
on_raise(void *ctx, uint32_t index, uint32_t vector)
{
	(void)ctx;
	MUST(attached && dev->st->active && dev_pci_bus_master(dev));
	MUST(index <= VFU_IRQ_MSIX);
	MUST(vector < (index == VFU_IRQ_MSIX ? VMXNET3_MAX_INTRS : 1));
}

static void
map_page(uint32_t page, uint32_t file_page, uint32_t prot)
{
	if (mapped[page].prot != 0)
		return;
	MUST(vfu_dma_map(dma, IOVA + page * PAGE, PAGE, prot, ram_fd, file_page * PAGE) == 0);
	mapped[page].prot = prot;
	mapped[page].file_page = file_page;
}

static void
unmap_page(uint32_t page)
{
	if (mapped[page].prot == 0)
		return;
	MUST(vfu_dma_unmap(dma, IOVA + page * PAGE, PAGE) == 0);
	mapped[page].prot = 0;
}

/* As the table's callback: what its users hold of the old state is let go. */
static void
on_dma_quiesce(void *ctx)
{
	(void)ctx;
	if (dev != NULL)
		vmxnet3_dev_dma_changed(dev);
	end_burst();
}

static void
attach(void)
{
	struct vmxnet3_intr_ops intr = { .raise = on_raise };

	vmxnet3_dev_attach(dev, dma, &intr);
	attached = true;
}

static void
detach(void)
{
	vmxnet3_dev_detach(dev);
	attached = false;
	MUST(nb_frames == 0 && vmxnet3_dev_nb_tx_queues(dev) == 0);
}

static void
pci_write(uint32_t at, uint32_t v, uint32_t len)
{
	vmxnet3_dev_pci_write(dev, at, &v, len);
}

static void
reg_write(unsigned int bar, uint32_t at, uint32_t v, uint32_t len)
{
	uint8_t buf[8] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	vmxnet3_dev_bar_write(dev, bar, at, buf, len);
}

/* ---- operations: a valid driver's, with arguments to taste ---- */

static void
set_ring(struct ring *r, uint32_t *at, uint32_t size)
{
	*r = (struct ring){ .at = *at, .size = size, .gen = 1 };
	*at += (size * 16 + 511) / 512 * 512;
	if (*at > AT_BUFFERS - 0x1000)
		*at = AT_RINGS;
}

static void
set_up_queues(struct vmxnet3_shared *s, uint32_t size)
{
	struct vmxnet3_tx_queue_desc *tx = (struct vmxnet3_tx_queue_desc *)(ram + AT_QUEUES);
	struct vmxnet3_rx_queue_desc *rx =
		(struct vmxnet3_rx_queue_desc *)(tx + s->misc.num_tx_queues);
	uint32_t at = AT_RINGS, i, r, q;
	struct ring comp;

	for (i = 0; i < s->misc.num_tx_queues; i++) {
		q = i % MAX_QUEUES;
		if (i < MAX_QUEUES)
			set_ring(&tx_ring[q], &at, size);
		set_ring(&comp, &at, size);
		tx[i].tx_ring_pa = IOVA + tx_ring[q].at;
		tx[i].tx_ring_size = size;
		tx[i].comp_ring_pa = IOVA + comp.at;
		tx[i].comp_ring_size = size;
		tx[i].intr_idx = (uint8_t)i;
	}
	for (i = 0; i < s->misc.num_rx_queues; i++) {
		q = i % MAX_QUEUES;
		for (r = 0; r < 2; r++) {
			if (i < MAX_QUEUES)
				set_ring(&rx_ring[q][r], &at, size);
			rx[i].rx_ring_pa[r] = IOVA + rx_ring[q][r].at;
			rx[i].rx_ring_size[r] = size;
		}
		set_ring(&comp, &at, size * 2);
		rx[i].comp_ring_pa = IOVA + comp.at;
		rx[i].comp_ring_size = size * 2;
		rx[i].intr_idx = (uint8_t)i;
		rx[i].data_ring_pa = IOVA + AT_BUFFERS;
		rx[i].data_ring_desc_size = s->misc.upt_features & 0x80 ? 128 : 0;
	}
}

/* Everything ready for ACTIVATE: revision, bus master, MSI-X, shared area, address. */
static void
op_set_up(void)
{
	static const uint16_t vrrs[] = { 0x40, 0x04, 0x02, 0x01, 0x08, 0x10, 0x20, 0x80, 0x100 };
	struct vmxnet3_shared *s = (struct vmxnet3_shared *)(ram + AT_SHARED);
	struct vmxnet3_rss_conf *rss = (struct vmxnet3_rss_conf *)(ram + AT_ARGS);
	uint32_t i;

	memset(ram, 0, AT_BUFFERS);
	reg_write(1, VMXNET3_REG_VRRS, vrrs[byte() % (sizeof(vrrs) / sizeof(vrrs[0]))], 4);
	pci_write(0x04, 6, 2);
	pci_write(0x9e, 0x8000, 2);
	s->magic = VMXNET3_MAGIC;
	s->misc.num_tx_queues = (uint8_t)(byte() % 34);
	s->misc.num_rx_queues = (uint8_t)(byte() % 34);
	s->misc.queue_desc_pa = IOVA + AT_QUEUES;
	s->misc.queue_desc_len = 256u * (s->misc.num_tx_queues + s->misc.num_rx_queues);
	s->misc.upt_features = byte();
	s->misc.mtu = word(2);
	s->misc.max_num_rx_sg = byte();
	s->intr.auto_mask = byte() & 1;
	s->rx_filter.rx_mode = byte();
	s->rss_conf = (struct vmxnet3_var_conf){ 1, sizeof(*rss), IOVA + AT_ARGS };
	rss->hash_type = 0xf;
	rss->hash_func = 1;
	rss->hash_key_size = 40;
	rss->ind_table_size = 128;
	for (i = 0; i < 128; i++)
		rss->ind_table[i] = (uint8_t)i;
	memset(rss->hash_key, 0x6d, sizeof(rss->hash_key));
	set_up_queues(s, 1 + byte() % 64);
	reg_write(1, VMXNET3_REG_DSAL, (uint32_t)IOVA, 4);
	reg_write(1, VMXNET3_REG_DSAH, IOVA >> 32, 4);
}

static void
op_command(void)
{
	uint32_t v = byte();

	reg_write(1, VMXNET3_REG_CMD,
		(v & 0x80 ? VMXNET3_CMD_GET : VMXNET3_CMD_SET) + (v & 0x1f), 4);
}

static void
op_activate(void)
{
	uint32_t q, r, result = 0;

	reg_write(1, VMXNET3_REG_CMD, VMXNET3_CMD_ACTIVATE_DEV, 4);
	vmxnet3_dev_bar_read(dev, 1, VMXNET3_REG_CMD, &result, 4);
	MUST((result == 0) == (dev->st->active != 0));
	for (q = 0; q < MAX_QUEUES; q++) {
		tx_ring[q].next = 0;
		tx_ring[q].gen = 1;
		for (r = 0; r < 2; r++) {
			rx_ring[q][r].next = 0;
			rx_ring[q][r].gen = 1;
		}
	}
}

static void
op_reg_write(void)
{
	uint32_t bar = byte() % 4, at = word(2), v = word(4), len = byte();

	reg_write(bar, at, v, len < 0xf0 ? 4 : len % 9);
}

static void
op_reg_read(void)
{
	uint32_t bar = byte() % 4, at = word(2), len = byte() % 65;
	uint8_t buf[64];

	vmxnet3_dev_bar_read(dev, bar, at, buf, len);
}

static void
op_pci_write(void)
{
	uint32_t at = byte(), v = word(4);

	pci_write(at, v, 1 + at % 4);
}

static void
op_pci_read(void)
{
	uint32_t at = word(2);
	uint8_t buf[300];

	vmxnet3_dev_pci_read(dev, at, buf, at % 300);
}

/* The driver's next entry of a ring. */
static uint32_t *
next_entry(struct ring *r, uint32_t *gen)
{
	uint32_t *d;

	if (r->size == 0)
		return NULL;
	d = (uint32_t *)(ram + r->at + r->next * 16);
	*gen = r->gen;
	if (++r->next == r->size) {
		r->next = 0;
		r->gen ^= 1;
	}
	return d;
}

static void
op_tx_desc(void)
{
	uint32_t q = byte() % MAX_QUEUES, at = AT_BUFFERS + word(2), dw2 = word(4);
	uint32_t dw3 = word(4), gen;
	uint32_t *d = next_entry(&tx_ring[q], &gen);

	if (d == NULL)
		return;
	d[0] = (uint32_t)(IOVA + at);
	d[1] = IOVA >> 32;
	d[3] = dw3;
	d[2] = (dw2 & ~(1u << VMXNET3_TXD_GEN_SHIFT)) | gen << VMXNET3_TXD_GEN_SHIFT;
}

static void
op_rx_descs(void)
{
	uint32_t where = byte(), n = byte() % 64, len = word(2), at = AT_BUFFERS + word(2), gen;
	struct ring *r = &rx_ring[(where & 0x7f) % MAX_QUEUES][where >> 7];
	uint32_t *d;

	for (; n > 0; n--, at += len & 0x3fff) {
		d = next_entry(r, &gen);
		if (d == NULL)
			return;
		d[0] = (uint32_t)(IOVA + at);
		d[1] = IOVA >> 32;
		d[3] = 0;
		/* Bits 14 and 15 of len: BODY, dtype. */
		d[2] = len | gen << VMXNET3_RXD_GEN_SHIFT;
	}
}

static void
op_poke(void)
{
	uint32_t at = word(3) % RAM_BYTES, n = 1 + byte() % 16;

	for (; n > 0; n--)
		ram[at++ % RAM_BYTES] = byte();
}

static void
op_poke_word(void)
{
	uint32_t at = word(2) % AT_RINGS / 4 * 4, v = word(4);

	memcpy(ram + at, &v, sizeof(v));
}

/* IPv4, UDP, and VXLAN or Geneve with an option, around @p len bytes. @return where these begin */
static uint8_t *
put_tunnel(uint8_t *p, bool geneve, uint32_t len)
{
	static const uint8_t head[] = { 0, 0x50, 0x56, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 0, 0, 7, 0, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2,
		0xc0, 0, 0x12, 0xb5, 0, 0, 0, 0 };
	static const uint8_t vxlan[] = { 8, 0, 0, 0, 0, 0, 5, 0 };
	static const uint8_t option[] = { 2, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 2, 0x80, 1, 0xa, 0xb, 0xc, 0xd };
	uint32_t n = geneve ? sizeof(option) : sizeof(vxlan);

	memcpy(p, head, sizeof(head));
	memcpy(p + sizeof(head), geneve ? option : vxlan, n);
	if (geneve) {
		p[36] = 0x17;
		p[37] = 0xc1;
	}
	len += 8 + n;
	p[38] = (uint8_t)(len >> 8);
	p[39] = (uint8_t)len;
	len += 20;
	p[16] = (uint8_t)(len >> 8);
	p[17] = (uint8_t)len;
	return p + sizeof(head) + n;
}

/* Headers that make sense, so that offloads get further than the first check. */
static void
op_packet(void)
{
	static const uint8_t eth4[] = { 0, 0x50, 0x56, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
		0x10, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x19, 0xff, 0xff };
	static const uint8_t eth6[] = { 0, 0x50, 0x56, 1, 2, 3, 2, 0, 0, 0, 0, 1, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 0, 6, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		0x10, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x19, 0xff, 0xff };
	uint8_t kind = byte();
	uint32_t at = AT_BUFFERS + word(2), l3_len = word(2);
	uint8_t *p = ram + at;

	if (kind & (8 | 16))
		p = put_tunnel(p, kind & 16, l3_len + (kind & 1 ? 14 + 40 : 14));
	if (kind & 1) {
		memcpy(p, eth6, sizeof(eth6));
		p[18] = (uint8_t)(l3_len >> 8);
		p[19] = (uint8_t)l3_len;
		p[20] = kind & 2 ? 17 : 6;
	} else {
		memcpy(p, eth4, sizeof(eth4));
		p[16] = (uint8_t)(l3_len >> 8);
		p[17] = (uint8_t)l3_len;
		p[23] = kind & 2 ? 17 : 6;
	}
	if (kind & 4)
		memset(p, 0xff, 6);
}

/* ---- datapath ---- */

static void
op_begin(void)
{
	uint32_t queue = byte(), max = byte();

	if (nb_frames > 0)
		return;
	burst_queue = (uint16_t)(queue % 33);
	nb_frames = vmxnet3_dev_tx_begin(dev, burst_queue, burst, (uint16_t)max, &frames);
	MUST(nb_frames <= max && nb_frames <= VMXNET3_BURST_FRAMES);
}

/*
 * Sends a frame back to where it came from. Its segments in guest memory are copied, each to its
 * own piece of heap: the sanitizer then sees every byte read beyond, and a guest that receives
 * where it sends from (it harms only its own data) is not taken for a fault.
 */
static void
loop_back(const struct offload_frame *frame)
{
	struct offload_seg segs[2 * VMXNET3_TX_MAX_DESCS + 64];
	struct offload_frame f = *frame, *list = &f;
	uint16_t i;

	MUST(f.nb_segs > 0 && f.nb_segs <= sizeof(segs) / sizeof(segs[0]));
	MUST(f.len >= 14 && f.len <= OFFLOAD_FRAME_MAX);
	segs[0] = f.seg[0];
	for (i = 1; i < f.nb_segs; i++) {
		segs[i].len = f.seg[i].len;
		segs[i].data = malloc(segs[i].len);
		MUST(segs[i].data != NULL);
		memcpy(segs[i].data, f.seg[i].data, segs[i].len);
	}
	f.seg = segs;
	MUST(vmxnet3_dev_deliver(dev, &list, 1) <= 1);
	for (i = 1; i < frame->nb_segs; i++)
		free(segs[i].data);
}

static void
op_loop_back(void)
{
	uint16_t i;

	for (i = 0; i < nb_frames; i++)
		loop_back(&frames[i]);
}

/* A frame from elsewhere, of any length and content. */
static void
op_deliver(void)
{
	static uint8_t room[OFFLOAD_HEADROOM + 16384];
	uint32_t kind = byte(), len = 1 + word(2) % 16000, n = byte() % 80, i;
	uint8_t *bytes = malloc(len + OFFLOAD_HEADROOM);
	struct offload_seg seg = { .data = bytes + OFFLOAD_HEADROOM, .len = len };
	struct offload_frame f = { .seg = &seg, .nb_segs = 1, .len = len }, *list = &f;

	MUST(bytes != NULL);
	memcpy(bytes, room, len + OFFLOAD_HEADROOM);
	for (i = 0; i < n && i < len; i++)
		seg.data[i] = byte();
	if (kind & 1) {
		f.flags |= OFFLOAD_F_VLAN;
		f.vlan_tci = (uint16_t)word(2);
	}
	if (kind & 2)
		f.flags |= OFFLOAD_F_CSUM_GOOD;
	/* Ports hand over whole Ethernet headers. */
	if (len >= 14)
		MUST(vmxnet3_dev_deliver(dev, &list, 1) <= 1);
	free(bytes);
}

static void
op_poll(void)
{
	vmxnet3_dev_intr_poll(dev);
}

/* ---- around ---- */

static void
op_unmap(void)
{
	unmap_page(byte() % NB_PAGES);
}

static void
op_map(void)
{
	uint32_t page = byte() % NB_PAGES, file_page = byte() % NB_PAGES, prot = byte() % 3 + 1;

	map_page(page, file_page, prot);
	vmxnet3_dev_dma_changed(dev);
}

static void
op_bar0_store(void)
{
	uint32_t at = word(2) % (VMXNET3_BAR0_SIZE / 4);

	atomic_store(&dev->bar0[at], word(4));
}

static void
op_time(void)
{
	now += (uint64_t)word(2) << 10;
}

static void
op_host(void)
{
	struct vmxnet3_dev_info info;
	struct vmxnet3_dev_stats stats;
	uint32_t what = byte();

	switch (what % 8) {
	case 0:
		vmxnet3_dev_pci_reset(dev);
		MUST(!dev->st->active);
		break;
	case 1:
		detach();
		attach();
		break;
	case 2:
		vmxnet3_dev_set_mtu(dev, (uint16_t)word(2));
		break;
	case 3:
		vmxnet3_dev_info_get(dev, &info);
		MUST(info.nb_tx_queues <= info.max_tx_queues);
		vmxnet3_dev_stats_get(dev, &stats);
		break;
	case 4:
		dev_intr_eoi(dev);
		break;
	default:
		vmxnet3_dev_set_link(dev, what & 0x80);
		break;
	}
}

/* New operations go to the end: the number is the code in the corpus. */
static void (*const operations[])(void) = {
	/* 0: revision, tx, rx, features (0x80: data ring), mtu:2, sg, autoMask, rxMode, size */
	op_set_up,
	op_activate,   /* 1 */
	op_command,    /* 2: 0x80 GET, number */
	op_rx_descs,   /* 3: 0x80 ring1 | queue, number, len:2 (with BODY), at:2 */
	op_tx_desc,    /* 4: queue, at:2, dw2:4, dw3:4 */
	op_packet,     /* 5: 1 IPv6 | 2 UDP | 4 broadcast | 8 in VXLAN | 16 in Geneve, at:2, length field:2 */
	op_begin,      /* 6: queue, max */
	op_loop_back,  /* 7 */
	end_burst,     /* 8 */
	op_deliver,    /* 9: 1 tagged | 2 good, len:2, n, n bytes, [tci:2] */
	op_poll,       /* 10 */
	op_reg_write,  /* 11: bar, at:2, value:4, length code */
	op_reg_read,   /* 12: bar, at:2, length */
	op_pci_write,  /* 13: at, value:4 */
	op_pci_read,   /* 14: at:2 */
	op_poke,       /* 15: at:3, n, bytes */
	op_poke_word,  /* 16: at:2, value:4 */
	op_unmap,      /* 17: page */
	op_map,        /* 18: page, page of the file, access */
	op_bar0_store, /* 19: register:2, value:4 */
	op_time,       /* 20: microseconds:2 */
	op_host,       /* 21: what */
};

static void
start(void)
{
	static const struct vmxnet3_dev_ops ops = { .quiesce = on_quiesce, .now = on_now,
		.log = on_log };
	struct vmxnet3_dev_conf conf = { .name = "fuzz", .mac = { 0, 0x50, 0x56, 1, 2, 3 },
		.max_tx_queues = 32, .max_rx_queues = 32, .revisions = VMXNET3_REV_MASK_SUPPORTED,
		.mtu = 9000, .link_speed = 10000, .intr_rate = 20000 };
	char err[256];

	ram_fd = memfd_create("ram", MFD_CLOEXEC);
	MUST(ram_fd >= 0 && ftruncate(ram_fd, RAM_BYTES + PAGE) == 0);
	ram = mmap(NULL, RAM_BYTES + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
	MUST(ram != MAP_FAILED);
	memset(ram + RAM_BYTES, RO_BYTE, PAGE);
	dma = vfu_dma_create(1024, on_dma_quiesce, NULL);
	MUST(dma != NULL);
	MUST(vfu_dma_map(dma, RO_IOVA, PAGE, VFU_DMA_READ, ram_fd, RAM_BYTES) == 0);
	burst = vmxnet3_burst_create();
	MUST(burst != NULL);
	dev = vmxnet3_dev_create(&conf, &ops, err, sizeof(err));
	MUST(dev != NULL);
}

/* Every input finds the same machine. */
static void
reset(void)
{
	const uint32_t all = VFU_DMA_READ | VFU_DMA_WRITE;
	uint32_t page;

	for (page = 0; page < NB_PAGES; page++) {
		if (mapped[page].prot != all || mapped[page].file_page != page)
			unmap_page(page);
		map_page(page, page, all);
	}
	memset(ram, 0, RAM_BYTES);
	memset(tx_ring, 0, sizeof(tx_ring));
	memset(rx_ring, 0, sizeof(rx_ring));
	now = UINT64_C(1000000000000);
	atomic_store(&dev->log_window, 0);
	atomic_store(&dev->log_lines, 0);
	memset(dev->intr.vector, 0, sizeof(dev->intr.vector));
	dev_moderation_set(dev);
	vmxnet3_dev_set_link(dev, true);
	vmxnet3_dev_set_mtu(dev, 9000);
	attach();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t i;

	if (size > INPUT_MAX)
		return -1;
	if (dev == NULL)
		start();
	reset();
	in = data;
	in_left = size;
	while (in_left > 0)
		operations[byte() % (sizeof(operations) / sizeof(operations[0]))]();
	end_burst();
	detach();
	for (i = 0; i < PAGE; i++)
		MUST(ram[RAM_BYTES + i] == RO_BYTE);
	return 0;
}
