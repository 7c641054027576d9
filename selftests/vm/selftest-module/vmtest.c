// SPDX-License-Identifier: GPL-2.0
/*
 * Plants one bug of each kind that the VM runner has to notice:
 *
 *	insmod vmtest.ko plant=warn
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *plant = "nothing";
module_param(plant, charp, 0444);
MODULE_PARM_DESC(plant, "nothing, warn, kasan, lockdep, atomic, leak or hang");

static void plant_nothing(void)
{
}

static void plant_warn(void)
{
	WARN(1, "vmtest: planted\n");
}

static void plant_kasan(void)
{
	char *object = kmalloc(16, GFP_KERNEL);

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(object);
	kfree(object);
	WRITE_ONCE(object[0], 'x');
}

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);

static void plant_lockdep(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);

	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

static void plant_atomic(void)
{
	spin_lock(&lock_a);
	might_sleep();
	spin_unlock(&lock_a);
}

static void plant_leak(void)
{
	char *object = kmalloc(4096, GFP_KERNEL);

	if (object)
		strscpy(object, "vmtest: planted", 4096);
	OPTIMIZER_HIDE_VAR(object);
}

static void plant_hang(void)
{
	local_irq_disable();
	while (true)
		cpu_relax();
}

static const struct {
	const char *name;
	void (*plant)(void);
} plants[] = {
	{ "nothing", plant_nothing },
	{ "warn", plant_warn },
	{ "kasan", plant_kasan },
	{ "lockdep", plant_lockdep },
	{ "atomic", plant_atomic },
	{ "leak", plant_leak },
	{ "hang", plant_hang },
};

static int __init vmtest_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plants); i++) {
		if (strcmp(plants[i].name, plant))
			continue;
		plants[i].plant();
		return 0;
	}
	return -EINVAL;
}

static void __exit vmtest_exit(void)
{
}

module_init(vmtest_init);
module_exit(vmtest_exit);
MODULE_DESCRIPTION("Plants bugs for the VM runner's self-test");
MODULE_LICENSE("GPL");
