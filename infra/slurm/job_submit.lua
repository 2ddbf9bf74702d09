-- Slurm's job_submit plugin: hands a path from the environment of `sbatch` to the prolog, which sees
-- nothing of that environment but does see the comment. Where there is a job_submit.lua already, take
-- over `warm_path` and its call.

local VARIABLE = "WARPDRIVE_WARMUP_PATH"
-- The prolog refuses longer ones (PATH_MAX of Linux).
local LONGEST = 4095

-- The path of a job to come; nil where there is none, or no path. The prolog looks closer.
local function warm_path(job)
  -- Not every way to submit a job hands its environment over.
  local known, path = pcall(function() return job.environment[VARIABLE] end)
  if not known or type(path) ~= "string" then return nil end
  if path:sub(1, 1) ~= "/" or #path > LONGEST or path:find("%c") then return nil end
  return path
end

function slurm_job_submit(job, parts, uid)
  local path = warm_path(job)
  if path == nil then return slurm.SUCCESS end
  if job.comment == nil or job.comment == "" then
    job.comment = path
  elseif job.comment ~= path then
    slurm.log_user("%s is not used: the job has a comment of its own", VARIABLE)
  end
  return slurm.SUCCESS
end

function slurm_job_modify(job, record, parts, uid)
  return slurm.SUCCESS
end

return slurm.SUCCESS
