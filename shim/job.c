// SPDX-License-Identifier: MIT
#include "job.h"
#include "family.h"

void sc_job_claim(struct sc_job *job)
{
	job->is_twins = job->birth != SC_BIRTH_SOLE && !sc_family_claim_end(job->conn.inode);
}

void sc_job_yield_to_twin(const struct sc_job *job, struct sc_linger_end *end)
{
	bool has_less = job->birth != SC_BIRTH_SOLE && end->outcome == SC_OUTCOME_FIN &&
			end->why == NULL && end->drained_bytes < job->conn.unread_bytes;
	bool is_later = job->is_twins && job->conn.unread_bytes == 0;
	if (has_less || (is_later && end->outcome != SC_OUTCOME_RST)) {
		end->outcome = SC_OUTCOME_SHARED;
		end->why = NULL;
	}
}
