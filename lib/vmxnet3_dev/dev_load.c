/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings that ACTIVATE and the UPDATE commands have in common: receive filter, features, RSS. The
 * datapath reads them while they change; dev_base.h says how.
 */
#include "dev_load.h"

#include <string.h>

#include "dev_mem.h"

#define HASH_FUNC_TOEPLITZ 1
#define RSS_CONF_FIXED offsetof(struct vmxnet3_rss_conf, ind_table)
#define RX_MODES_ALL 0x1fu

static_assert(VMXNET3_RXM_UCAST == OFFLOAD_FILTER_UCAST &&
	VMXNET3_RXM_MCAST == OFFLOAD_FILTER_MCAST && VMXNET3_RXM_BCAST == OFFLOAD_FILTER_BCAST &&
	VMXNET3_RXM_ALL_MULTI == OFFLOAD_FILTER_ALL_MULTI &&
	VMXNET3_RXM_PROMISC == OFFLOAD_FILTER_PROMISC, "receive modes");
static_assert(VMXNET3_RSS_HASH_IPV4 == OFFLOAD_RSS_IPV4 &&
	VMXNET3_RSS_HASH_TCP_IPV4 == OFFLOAD_RSS_TCP_IPV4 &&
	VMXNET3_RSS_HASH_IPV6 == OFFLOAD_RSS_IPV6 &&
	VMXNET3_RSS_HASH_TCP_IPV6 == OFFLOAD_RSS_TCP_IPV6, "hash types");

/* ---- receive filter: two of them, one in use ---- */

struct offload_filter *
dev_filter_edit(struct vmxnet3_dev *dev)
{
	const struct offload_filter *now = dev_filter(dev);
	struct offload_filter *spare = &dev->st->filter[now == &dev->st->filter[0]];

	if (!dev->filter_edited) {
		/* Most filters have few addresses, and a full one is 64 KiB. */
		memcpy(spare, now, offsetof(struct offload_filter, mc));
		memcpy(spare->mc, now->mc, now->nb_mc * sizeof(now->mc[0]));
		dev->filter_edited = true;
	}
	return spare;
}

void
dev_filter_publish(struct vmxnet3_dev *dev)
{
	uint32_t spare;

	if (!dev->filter_edited)
		return;
	spare = dev_filter(dev) == &dev->st->filter[0];
	__atomic_store_n(&dev->st->filter_index, spare, __ATOMIC_RELEASE);
	dev->filter_edited = false;
	/* The other one is written at the next change: nobody may be reading it then. */
	if (dev->st->active)
		dev_wait_datapath(dev);
}

void
dev_load_rx_mode(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared)
{
	dev_filter_edit(dev)->mode = shared->rx_filter.rx_mode & RX_MODES_ALL;
}

void
dev_load_mac_filters(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared)
{
	uint8_t table[OFFLOAD_FILTER_MAX_MC][6];
	uint32_t nb = shared->rx_filter.mf_table_len / sizeof(table[0]);

	if (nb > OFFLOAD_FILTER_MAX_MC)
		nb = OFFLOAD_FILTER_MAX_MC;
	if (nb > 0 && !dev_mem_read(dev, shared->rx_filter.mf_table_pa, table,
			      (uint32_t)(nb * sizeof(table[0])))) {
		dev_log(dev, VMXNET3_LOG_WARNING,
			"list of %u multicast addresses is not in guest memory: taken as empty",
			nb);
		nb = 0;
	}
	offload_filter_set_mc(dev_filter_edit(dev), (const uint8_t (*)[6])table, nb);
}

void
dev_load_vlan_filters(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared)
{
	offload_filter_set_vlans(dev_filter_edit(dev), shared->rx_filter.vf_table);
}

/* ---- features and RSS ---- */

/* What only fields have. Those of headers inside of tunnels are the types themselves. */
static const struct {
	uint32_t field, type;
} field_types[] = {
	{ VMXNET3_RSS_FIELDS_UDPIP4, OFFLOAD_RSS_UDP_IPV4 },
	{ VMXNET3_RSS_FIELDS_UDPIP6, OFFLOAD_RSS_UDP_IPV6 },
	{ VMXNET3_RSS_FIELDS_ESPIP4, OFFLOAD_RSS_ESP_IPV4 },
	{ VMXNET3_RSS_FIELDS_ESPIP6, OFFLOAD_RSS_ESP_IPV6 },
};
static_assert(VMXNET3_RSS_FIELDS_INNER_IP4 == OFFLOAD_RSS_INNER(OFFLOAD_RSS_IPV4) &&
	VMXNET3_RSS_FIELDS_INNER_TCPIP4 == OFFLOAD_RSS_INNER(OFFLOAD_RSS_TCP_IPV4) &&
	VMXNET3_RSS_FIELDS_INNER_IP6 == OFFLOAD_RSS_INNER(OFFLOAD_RSS_IPV6) &&
	VMXNET3_RSS_FIELDS_INNER_TCPIP6 == OFFLOAD_RSS_INNER(OFFLOAD_RSS_TCP_IPV6) &&
	VMXNET3_RSS_FIELDS_INNER_UDPIP4 == OFFLOAD_RSS_INNER(OFFLOAD_RSS_UDP_IPV4) &&
	VMXNET3_RSS_FIELDS_INNER_UDPIP6 == OFFLOAD_RSS_INNER(OFFLOAD_RSS_UDP_IPV6), "inner fields");

static uint32_t
rss_types(const struct vmxnet3_dev *dev)
{
	uint32_t types = dev->st->cfg.rss_hash_type & (OFFLOAD_RSS_IPV4 | OFFLOAD_RSS_TCP_IPV4 |
			OFFLOAD_RSS_IPV6 | OFFLOAD_RSS_TCP_IPV6);
	uint32_t fields = dev_rss_fields(dev);
	size_t i;

	if (!dev->rev->rss_fields)
		return types;
	/* TCP has a hash type as well, and counts only if both have it. */
	if (!(fields & VMXNET3_RSS_FIELDS_TCPIP4))
		types &= ~OFFLOAD_RSS_TCP_IPV4;
	if (!(fields & VMXNET3_RSS_FIELDS_TCPIP6))
		types &= ~OFFLOAD_RSS_TCP_IPV6;
	for (i = 0; i < sizeof(field_types) / sizeof(field_types[0]); i++) {
		if (fields & field_types[i].field)
			types |= field_types[i].type;
	}
	return types | (fields & OFFLOAD_RSS_INNER_ALL);
}

/* Copies the driver's RSSConf. @return NULL, or what is wrong with it. */
static const char *
read_rss(struct vmxnet3_dev *dev, const struct vmxnet3_var_conf *where, struct vmxnet3_rss_conf *conf)
{
	uint32_t len = where->len < sizeof(*conf) ? where->len : (uint32_t)sizeof(*conf);

	memset(conf, 0, sizeof(*conf));
	if (len < RSS_CONF_FIXED)
		return "too short";
	if (!dev_mem_read(dev, where->pa, conf, len))
		return "not in guest memory";
	if (conf->hash_func != HASH_FUNC_TOEPLITZ)
		return "hash function unknown";
	if (conf->hash_key_size != OFFLOAD_RSS_KEY_BYTES)
		return "key of the wrong size";
	if (conf->ind_table_size < 1 || conf->ind_table_size > sizeof(conf->ind_table) ||
			conf->ind_table_size > len - RSS_CONF_FIXED)
		return "table of the wrong size";
	return NULL;
}

static void
set_rss(struct vmxnet3_dev *dev, const struct vmxnet3_rss_conf *conf)
{
	struct dev_config *cfg = &dev->st->cfg;
	uint32_t i;

	offload_rss_key_set(&cfg->rss_key, conf->hash_key);
	for (i = 0; i < sizeof(cfg->ind_table); i++)
		cfg->ind_table[i] = conf->ind_table[i] < cfg->nb_rxq ? conf->ind_table[i] : 0;
	cfg->ind_table_size = conf->ind_table_size;
	cfg->rss_hash_type = conf->hash_type;
	cfg->rss_loaded = 1;
}

void
dev_update_rss_types(struct vmxnet3_dev *dev)
{
	struct dev_config *cfg = &dev->st->cfg;
	uint32_t types = cfg->rss_loaded ? rss_types(dev) : 0;

	__atomic_store_n(&cfg->rss_types, types, __ATOMIC_RELEASE);
}

void
dev_load_rss(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared)
{
	struct dev_config *cfg = &dev->st->cfg;
	struct vmxnet3_rss_conf conf;
	const char *fault;

	/*
	 * Between the two stores frames go to queue 0 without a hash, which is right at any time.
	 */
	cfg->rss_loaded = 0;
	__atomic_store_n(&cfg->rss_types, 0, __ATOMIC_RELAXED);
	if (dev->st->active)
		dev_wait_datapath(dev);
	if (!(cfg->features & VMXNET3_F_RSS))
		return;
	fault = read_rss(dev, &shared->rss_conf, &conf);
	if (fault != NULL) {
		dev->rss_refused++;
		dev_log(dev, VMXNET3_LOG_WARNING,
			"RSS settings refused: %s (function %u, key %u bytes, table %u entries): all goes to receive queue 0",
			fault, conf.hash_func, conf.hash_key_size, conf.ind_table_size);
		return;
	}
	set_rss(dev, &conf);
	dev_update_rss_types(dev);
}

void
dev_load_features(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared)
{
	uint32_t features = (uint32_t)shared->misc.upt_features & vmxnet3_rev_features(dev->rev);

	__atomic_store_n(&dev->st->cfg.features, features, __ATOMIC_RELAXED);
	/* Waits for the datapath, so that a feature taken back is not in use any more. */
	dev_load_rss(dev, shared);
}
