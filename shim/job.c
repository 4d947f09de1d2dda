// SPDX-License-Identifier: MIT
#include "job.h"
#include "family.h"
#include "inspect.h"

/* Who has executed another program since is not of the family, but its FIN shows. That is looked for first:
 * after the claim, the FIN of one who came too late for it would show as well, and nobody would tell. */
void sc_job_claim(struct sc_job *job, int fd)
{
	struct sc_conn now;
	if (job->birth == SC_BIRTH_SOLE) {
		return;
	}
	bool has_ended = sc_inspect_has_ended_since(fd, &job->conn);
	job->is_twins = !sc_family_claim_end(job->conn.inode) || has_ended;
	sc_inspect_quickly(fd, &now);
	job->left = (uint32_t)now.unread_bytes;
}

/* Before the claim another holder may have read some of what was there at the close, and have sent a FIN by
 * a shutdown of the program's: who has drained the rest has got the bytes. */
void sc_job_yield_to_twin(const struct sc_job *job, struct sc_linger_end *end)
{
	bool is_others = job->is_twins && end->outcome != SC_OUTCOME_RST;
	if (job->conn.unread_bytes > 0) {
		is_others = job->birth != SC_BIRTH_SOLE && end->outcome == SC_OUTCOME_FIN &&
			    end->why == NULL && end->drained_bytes < job->conn.unread_bytes &&
			    (end->drained_bytes == 0 || end->drained_bytes < job->left);
	}
	if (is_others) {
		end->outcome = SC_OUTCOME_SHARED;
		end->why = NULL;
	}
}
