// SPDX-License-Identifier: MIT
#include "job.h"
#include "family.h"
#include "inspect.h"

/* Who has executed another program since is not of the family, but its FIN shows. That is looked for first:
 * after the claim, the FIN of one who came too late for it would show as well, and nobody would tell. */
void sc_job_claim(struct sc_job *job, int fd)
{
	bool has_ended = job->birth != SC_BIRTH_SOLE && sc_inspect_has_ended_since(fd, &job->conn);
	job->is_twins =
		job->birth != SC_BIRTH_SOLE && (!sc_family_claim_end(job->conn.inode) || has_ended);
}

void sc_job_yield_to_twin(const struct sc_job *job, struct sc_linger_end *end)
{
	bool is_others = job->is_twins && end->outcome != SC_OUTCOME_RST;
	if (job->conn.unread_bytes > 0) {
		is_others = job->birth != SC_BIRTH_SOLE && end->outcome == SC_OUTCOME_FIN &&
			    end->why == NULL && end->drained_bytes < job->conn.unread_bytes;
	}
	if (is_others) {
		end->outcome = SC_OUTCOME_SHARED;
		end->why = NULL;
	}
}
